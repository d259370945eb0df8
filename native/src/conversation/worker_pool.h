// Threads that handle lines, because a request may wait for the disk while others need not; and
// because the kernel takes snapshots that are asked for at the same time in one transaction.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace teu::conversation {

class WorkerPool {
 public:
  WorkerPool(std::size_t threads, std::function<void(const std::string&)> work);
  /// Waits for what is being worked on; what is still in the queue is dropped.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void add(std::string line);

 private:
  void serve();

  const std::function<void(const std::string&)> work_;
  std::mutex mutex_{};
  std::condition_variable changed_{};
  std::deque<std::string> queue_{};
  bool closing_ = false;
  std::vector<std::jthread> threads_{};
};

}  // namespace teu::conversation
