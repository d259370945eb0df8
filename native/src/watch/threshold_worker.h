#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sys/unique_fd.h"

namespace teu::watch {

/// Asks for notifications at memory limits of version 1 in a thread of its own: the kernel waits
/// some ten milliseconds for every one (synchronize_rcu), in which others would not be heard.
class ThresholdWorker {
 public:
  /// A group that is to be watched, or that is: then `event` is signalled.
  struct Task {
    std::uint64_t key = 0;
    UniqueFd group{};  ///< its directory
    std::uint64_t bytes = 0;
    UniqueFd event{};
  };

  /// @param done is an eventfd that is signalled when a task is done
  explicit ThresholdWorker(int done);
  ~ThresholdWorker();
  ThresholdWorker(const ThresholdWorker&) = delete;
  ThresholdWorker& operator=(const ThresholdWorker&) = delete;

  void add(Task task);
  /// What is done since it was asked last; what the kernel refused is left out.
  std::vector<Task> takeDone();

 private:
  void work();

  const int done_;
  std::mutex mutex_{};
  std::condition_variable changed_{};
  std::deque<Task> waiting_{};
  std::vector<Task> finished_{};
  bool closing_ = false;
  std::thread thread_{};
};

}  // namespace teu::watch
