#pragma once

#include "layer/chunk_ring.h"
#include "layer/failure.h"

namespace teu::layer {

/// The compressed bytes as a decoder takes them: where the ring has them, without copying.
class DecoderInput {
 public:
  explicit DecoderInput(ChunkRing& ring) : ring_(ring) {}

  /// The next bytes, good until the next call; empty at the end, and after the ring was aborted.
  Bytes next() {
    if (isHeld_) ring_.release(0);
    const Bytes chunk = ring_.next(0);
    isHeld_ = !chunk.empty();
    bytesTaken_ += chunk.size();
    return chunk;
  }

  /// Bytes of all that next() has returned.
  std::uint64_t bytesTaken() const noexcept { return bytesTaken_; }

 private:
  ChunkRing& ring_;
  bool isHeld_ = false;
  std::uint64_t bytesTaken_ = 0;
};

}  // namespace teu::layer
