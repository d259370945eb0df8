#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sys/unique_fd.h"

namespace teu::watch {

/// Closes descriptors of pressure triggers, for each of which the kernel waits some ten
/// milliseconds (synchronize_rcu): in several threads, which wait at the same time. Left open they
/// would be closed by the removal of their group, which holds up all other groups of the host
/// meanwhile.
class SlowCloser {
 public:
  /// @param done is an eventfd that is signalled when something is closed
  explicit SlowCloser(int done);
  ~SlowCloser();
  SlowCloser(const SlowCloser&) = delete;
  SlowCloser& operator=(const SlowCloser&) = delete;

  /// @param answer is given back by takeDone when they are closed
  void close(std::vector<UniqueFd> descriptors, std::string answer);
  /// Answers of what is closed since it was asked last, together.
  std::string takeDone();

 private:
  struct Task {
    std::vector<UniqueFd> descriptors;
    std::string answer;
  };
  void work();

  const int done_;
  std::mutex mutex_{};
  std::condition_variable changed_{};
  std::deque<Task> waiting_{};
  std::string finished_{};
  bool closing_ = false;
  std::vector<std::thread> threads_{};
};

}  // namespace teu::watch
