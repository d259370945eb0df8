#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "layer/chunk_ring.h"
#include "produce/failures.h"
#include "produce/options.h"

namespace teu::produce {

/// Gathers the bytes of the tar in the chunks of a ring, and counts them.
class RingOutput {
 public:
  RingOutput(layer::ChunkRing& ring, const Options& options);

  /// A piece of at most `wanted` bytes to be filled, of which filled() says how much of it was.
  Outcome space(std::uint64_t wanted, std::span<std::uint8_t>& piece);
  Outcome filled(std::size_t size);
  Outcome add(std::string_view bytes);
  Outcome addZeros(std::uint64_t count);
  /// Hands over what is left; nothing comes after it.
  void finish();

  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  void tellProgress();

  layer::ChunkRing& ring_;
  const std::uint64_t limit_;
  const std::uint64_t stride_;
  std::uint64_t nextProgress_;
  std::uint64_t bytes_ = 0;
  std::uint8_t* chunk_ = nullptr;
  std::size_t used_ = 0;
};

}  // namespace teu::produce
