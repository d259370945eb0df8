#pragma once

#include <string>
#include <vector>

#include "layer/limits.h"
#include "layer/tar_entry.h"
#include "layer/tar_stream.h"

namespace teu::layer {

/// Reads the members of a tar: v7, ustar, PAX and GNU, with long names and sparse files (GNU old,
/// PAX 0.0, 0.1, 1.0).
class TarReader {
 public:
  TarReader(TarStream& stream, const Limits& limits) : stream_(stream), limits_(limits) {}

  /// Goes to the next member, past the rest of the current one's data. `end` is set at the end of
  /// the archive.
  Outcome next(TarEntry& entry, bool& end);
  /// More of the current member's data, at most `most` bytes; empty when there is none left.
  Outcome data(std::uint64_t most, Bytes& bytes);

 private:
  struct Extensions;

  Outcome readHeaders(TarEntry& entry, Extensions& extensions, bool& end);
  Outcome readHeader(const std::uint8_t* block, TarEntry& entry, Extensions& extensions,
                     bool& isMember);
  Outcome applyExtensions(TarEntry& entry, Extensions& extensions);
  Outcome applyRecord(std::string_view key, std::string_view value, TarEntry& entry,
                      Extensions& extensions);
  Outcome readBody(std::uint64_t size, std::string& body, Extensions& extensions);
  Outcome readOldSparse(const std::uint8_t* block, TarEntry& entry);
  Outcome readSparseMap(TarEntry& entry);
  Outcome finishSparse(TarEntry& entry, const Extensions& extensions);
  Outcome finishCurrent();

  TarStream& stream_;
  const Limits& limits_;
  std::uint64_t dataLeft_ = 0;
  std::uint64_t padding_ = 0;
};

}  // namespace teu::layer
