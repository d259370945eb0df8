// Compression in process: gzip by isa-l (RFC 1952), zstd by libzstd (RFC 8878). The same tar always
// gives the same bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "layer/chunk_ring.h"
#include "layer/decoder.h"
#include "layer/sha256.h"
#include "produce/failures.h"

namespace teu::produce {

/// Writes to a descriptor, hashing and counting.
class BlobOutput {
 public:
  BlobOutput(int fd, bool hashes) : fd_(fd), hashes_(hashes) {}

  Outcome write(const std::uint8_t* data, std::size_t size);
  std::uint64_t bytes() const noexcept { return bytes_; }
  std::string digest() { return sha_.finish(); }

 private:
  const int fd_;
  const bool hashes_;
  layer::Sha256 sha_;
  std::uint64_t bytes_ = 0;
};

class Encoder {
 public:
  virtual ~Encoder() = default;
  /// Takes the next bytes of the tar. `isEnd`: there are no more.
  virtual Outcome encode(layer::Bytes data, bool isEnd, BlobOutput& output) = 0;
};

std::unique_ptr<Encoder> makeEncoder(layer::Compression compression);

}  // namespace teu::produce
