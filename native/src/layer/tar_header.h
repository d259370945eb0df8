// The 512-byte header block of a tar (POSIX ustar; GNU's variant of it).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "layer/failure.h"
#include "layer/tar_entry.h"

namespace teu::layer {

struct TarHeader {
  std::string name;
  std::string link;
  char type = '0';
  std::uint64_t size = 0;
  std::int64_t mode = 0;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::int64_t modified = 0;
  std::int64_t deviceMajor = 0;
  std::int64_t deviceMinor = 0;
};

bool isZeroBlock(const std::uint8_t* block) noexcept;
/// Checks the checksum and every number.
Outcome parseTarHeader(const std::uint8_t* block, TarHeader& header);
/// Copies what a member's header says; refuses types that mean nothing in a layer.
Outcome fillEntry(const TarHeader& header, TarEntry& entry);

/// The four segments in a GNU 'S' header, and the size of the whole file.
bool parseOldSparseHeader(const std::uint8_t* block, std::vector<Segment>& segments,
                          std::int64_t& realSize, bool& more);
/// The 21 segments in a block that follows it.
bool parseOldSparseExtension(const std::uint8_t* block, std::vector<Segment>& segments, bool& more);

}  // namespace teu::layer
