#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

namespace teu::layer {

enum class EntryType { kFile, kHardLink, kSymlink, kCharacter, kBlock, kDirectory, kFifo };

struct Attribute {
  std::string name;
  std::string value;
};

/// A run of data in a sparse file.
struct Segment {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// One member of a tar, extensions applied.
struct TarEntry {
  std::string name;
  std::string link;
  EntryType type = EntryType::kFile;
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  timespec modified{};
  timespec accessed{};
  std::uint64_t dataBytes = 0;  ///< bytes in the archive
  std::uint64_t fileBytes = 0;  ///< size of the file; larger than dataBytes if it is sparse
  std::uint32_t deviceMajor = 0;
  std::uint32_t deviceMinor = 0;
  std::vector<Attribute> attributes;
  bool sparse = false;
  std::vector<Segment> segments;
  std::uint64_t offset = 0;  ///< of its first header
};

}  // namespace teu::layer
