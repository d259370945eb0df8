#include "layer/chunk_ring.h"

#include <algorithm>

namespace teu::layer {

ChunkRing::ChunkRing(std::size_t slots, std::size_t chunkBytes, std::size_t consumers)
    : chunkBytes_(chunkBytes),
      slots_(slots, std::vector<std::uint8_t>(chunkBytes)),
      sizes_(slots, 0),
      tails_(consumers, 0) {}

std::uint64_t ChunkRing::slowest() const noexcept {
  return *std::min_element(tails_.begin(), tails_.end());
}

std::uint8_t* ChunkRing::acquire() {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [this] { return aborted_ || head_ - slowest() < slots_.size(); });
  return aborted_ ? nullptr : slots_[head_ % slots_.size()].data();
}

void ChunkRing::publish(std::size_t size) {
  {
    std::lock_guard lock(mutex_);
    sizes_[head_ % slots_.size()] = size;
    ++head_;
  }
  filled_.notify_all();
}

void ChunkRing::finish() {
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
  }
  filled_.notify_all();
}

Bytes ChunkRing::next(std::size_t consumer) {
  std::unique_lock lock(mutex_);
  filled_.wait(lock, [&] { return aborted_ || finished_ || tails_[consumer] < head_; });
  if (aborted_ || tails_[consumer] == head_) return {};
  const std::size_t slot = tails_[consumer] % slots_.size();
  return {slots_[slot].data(), sizes_[slot]};
}

void ChunkRing::release(std::size_t consumer) {
  {
    std::lock_guard lock(mutex_);
    ++tails_[consumer];
  }
  freed_.notify_one();
}

bool ChunkRing::abort() {
  bool isFirst = false;
  {
    const std::lock_guard lock(mutex_);
    isFirst = !aborted_;
    aborted_ = true;
  }
  filled_.notify_all();
  freed_.notify_all();
  return isFirst;
}

}  // namespace teu::layer
