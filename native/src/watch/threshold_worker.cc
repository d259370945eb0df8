#include "watch/threshold_worker.h"

#include <utility>

#include "sys/files.h"
#include "watch/group_events.h"

namespace teu::watch {

ThresholdWorker::ThresholdWorker(int done) : done_(done), thread_([this] { work(); }) {}

ThresholdWorker::~ThresholdWorker() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void ThresholdWorker::add(Task task) {
  const std::lock_guard lock(mutex_);
  // Limits may change faster than the kernel is asked, and each that waits holds a descriptor.
  std::erase_if(waiting_, [&](const Task& other) { return other.key == task.key; });
  waiting_.push_back(std::move(task));
  changed_.notify_one();
}

std::vector<ThresholdWorker::Task> ThresholdWorker::takeDone() {
  const std::lock_guard lock(mutex_);
  return std::exchange(finished_, {});
}

void ThresholdWorker::work() {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (closing_) return;
      task = std::move(waiting_.front());
      waiting_.pop_front();
    }
    Result<UniqueFd> event = makeEvent();
    if (!event) continue;
    const std::string bytes = std::to_string(task.bytes);
    // A group may be gone by now.
    if (!notify(task.group.get(), event.value().get(), "memory.usage_in_bytes", bytes)) continue;
    task.event = std::move(event.value());
    task.group.reset();
    const std::lock_guard lock(mutex_);
    finished_.push_back(std::move(task));
    const std::uint64_t one = 1;
    (void)!sys::writeAll(done_, &one, sizeof one);
  }
}

}  // namespace teu::watch
