#pragma once

#include <cstdint>

#include "layer/chunk_ring.h"
#include "layer/failure.h"

namespace teu::layer {

inline constexpr std::size_t kBlockBytes = 512;

/// The tar as one of the ring's consumers sees it: blocks and runs of bytes, without copying.
class TarStream {
 public:
  TarStream(ChunkRing& ring, std::size_t consumer) : ring_(ring), consumer_(consumer) {}

  /// Next 512-byte block; nullptr at the end of the stream. A part of a block is BAD_TAR.
  Outcome block(const std::uint8_t*& data);
  /// What is at hand next, at least one byte and at most `most`; BAD_TAR at the end of the stream.
  Outcome view(std::uint64_t most, Bytes& data);
  void advance(std::size_t count);
  /// Takes back the last `count` bytes of an advance that stayed within one view.
  void giveBack(std::size_t count) noexcept {
    used_ -= count;
    offset_ -= count;
  }
  /// Skips bytes that must be there.
  Outcome skip(std::uint64_t count);
  /// Reads to the end of the stream, whatever is there.
  void drain();

  std::uint64_t offset() const noexcept { return offset_; }

 private:
  bool fill();

  ChunkRing& ring_;
  const std::size_t consumer_;
  Bytes chunk_;
  std::size_t used_ = 0;
  std::uint64_t offset_ = 0;
};

}  // namespace teu::layer
