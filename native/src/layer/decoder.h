// Decompression in process: gzip by isa-l (RFC 1952), zstd by libzstd (RFC 8878). No program is
// ever started for it.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "layer/decoder_input.h"
#include "layer/failure.h"

namespace teu::layer {

enum class Compression { kAuto, kNone, kGzip, kZstd };

std::string_view compressionName(Compression compression) noexcept;
/// Recognises the form of a blob by its first bytes.
Compression compressionOf(std::span<const std::uint8_t> start) noexcept;

/// Turns the bytes of a blob into the bytes of its tar.
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Fills `into` as far as the stream goes on; less than full only at its end.
  virtual Outcome read(std::span<std::uint8_t> into, std::size_t& got) = 0;
};

/// Makes the decoder for a blob that is compressed.
std::unique_ptr<Decoder> makeDecoder(Compression compression, DecoderInput& input);

}  // namespace teu::layer
