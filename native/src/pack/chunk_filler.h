#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "layer/chunk_ring.h"

namespace teu::pack {

/// Fills the chunks of a ring one after the other, so that every chunk but the last is full.
class ChunkFiller {
 public:
  explicit ChunkFiller(layer::ChunkRing& ring) noexcept : ring_(ring) {}

  /// Where the next bytes belong; empty once a consumer has given up.
  std::span<std::uint8_t> room();
  /// So many bytes are there.
  void advance(std::size_t size);
  /// No more will come.
  void finish();

 private:
  layer::ChunkRing& ring_;
  std::uint8_t* chunk_ = nullptr;
  std::size_t filled_ = 0;
};

}  // namespace teu::pack
