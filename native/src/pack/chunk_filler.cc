#include "pack/chunk_filler.h"

namespace teu::pack {

std::span<std::uint8_t> ChunkFiller::room() {
  if (chunk_ == nullptr) {
    chunk_ = ring_.acquire();
    filled_ = 0;
  }
  if (chunk_ == nullptr) return {};
  return {chunk_ + filled_, ring_.chunkBytes() - filled_};
}

void ChunkFiller::advance(std::size_t size) {
  filled_ += size;
  if (filled_ < ring_.chunkBytes()) return;
  ring_.publish(filled_);
  chunk_ = nullptr;
}

void ChunkFiller::finish() {
  if (chunk_ != nullptr && filled_ > 0) ring_.publish(filled_);
  chunk_ = nullptr;
  ring_.finish();
}

}  // namespace teu::pack
