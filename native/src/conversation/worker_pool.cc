#include "conversation/worker_pool.h"

#include <utility>

namespace teu::conversation {

WorkerPool::WorkerPool(std::size_t threads, std::function<void(const std::string&)> work)
    : work_(std::move(work)) {
  for (std::size_t index = 0; index < threads; ++index) {
    threads_.emplace_back([this] { serve(); });
  }
}

WorkerPool::~WorkerPool() {
  const std::lock_guard lock(mutex_);
  closing_ = true;
  changed_.notify_all();
}

void WorkerPool::add(std::string line) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(line));
  changed_.notify_one();
}

void WorkerPool::serve() {
  for (;;) {
    std::string line;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      if (closing_) return;
      line = std::move(queue_.front());
      queue_.pop_front();
    }
    work_(line);
  }
}

}  // namespace teu::conversation
