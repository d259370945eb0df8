#pragma once

#include <cstdint>
#include <span>

#include "layer/failure.h"
#include "layer/growth.h"
#include "layer/sha256.h"

namespace teu::layer {

/// The bytes of a blob as they are stored: a piece of a file. Hashes what was read and, if asked,
/// copies it to another file, so that a blob inside an archive is read once for its digest, its
/// place in the store, and its content.
class BlobSource {
 public:
  /// `length` UINT64_MAX means up to the end of the file. `copyFd` -1 means no copy. Waits for
  /// `growth`, which must outlive this.
  BlobSource(int fd, std::uint64_t offset, std::uint64_t length, Growth& growth, int copyFd,
             bool hash);

  /// Reads up to into.size() bytes; 0 at the end.
  Outcome read(std::span<std::uint8_t> into, std::size_t& got);
  /// First bytes of the blob, without consuming them.
  Outcome peek(std::span<std::uint8_t> into, std::size_t& got) const;
  /// Hashes and copies what was read, in the order in which it was read.
  Outcome keep(std::span<const std::uint8_t> data);

  std::uint64_t bytesRead() const noexcept { return bytesRead_; }
  std::string finishDigest() { return sha_.finish(); }

 private:
  Outcome copy(std::span<const std::uint8_t> data);
  void startWriting(std::uint64_t before) const;

  const int fd_;
  Growth& growth_;
  const int copyFd_;
  const bool hash_;
  std::uint64_t offset_;
  std::uint64_t left_;
  std::uint64_t bytesRead_ = 0;
  std::uint64_t bytesKept_ = 0;
  Sha256 sha_;
};

}  // namespace teu::layer
