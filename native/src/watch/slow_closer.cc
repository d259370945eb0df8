#include "watch/slow_closer.h"

#include <cstdint>
#include <utility>

#include "sys/files.h"

namespace teu::watch {
namespace {

constexpr int kThreads = 4;

}  // namespace

SlowCloser::SlowCloser(int done) : done_(done) {
  for (int index = 0; index < kThreads; ++index) threads_.emplace_back([this] { work(); });
}

SlowCloser::~SlowCloser() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

void SlowCloser::close(std::vector<UniqueFd> descriptors, std::string answer) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back({std::move(descriptors), std::move(answer)});
  changed_.notify_one();
}

std::string SlowCloser::takeDone() {
  const std::lock_guard lock(mutex_);
  return std::exchange(finished_, {});
}

void SlowCloser::work() {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (closing_) return;
      task = std::move(waiting_.front());
      waiting_.pop_front();
    }
    task.descriptors.clear();
    const std::lock_guard lock(mutex_);
    finished_ += task.answer;
    const std::uint64_t one = 1;
    (void)!sys::writeAll(done_, &one, sizeof one);
  }
}

}  // namespace teu::watch
