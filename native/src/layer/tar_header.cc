#include "layer/tar_header.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "layer/tar_numbers.h"

namespace teu::layer {
namespace {

constexpr std::size_t kBlock = 512;

struct Field {
  std::size_t at;
  std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kModified{136, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kLink{157, 100};
constexpr Field kMagic{257, 8};
constexpr Field kDeviceMajor{329, 8};
constexpr Field kDeviceMinor{337, 8};
constexpr Field kPrefix{345, 155};
constexpr std::size_t kSparseStart = 386;
constexpr std::size_t kSparseInHeader = 4;
constexpr std::size_t kSparseMoreInHeader = 482;
constexpr Field kSparseRealSize{483, 12};
constexpr std::size_t kSparseInExtension = 21;
constexpr std::size_t kSparseMoreInExtension = 504;

std::string text(const std::uint8_t* block, Field field) {
  const char* start = reinterpret_cast<const char*>(block + field.at);
  return {start, strnlen(start, field.size)};
}

bool number(const std::uint8_t* block, Field field, std::int64_t& value) {
  return parseHeaderNumber({block + field.at, field.size}, value);
}

bool checksumHolds(const std::uint8_t* block) {
  std::int64_t expected = 0;
  if (!number(block, kChecksum, expected)) return false;
  std::int64_t asUnsigned = 0;
  std::int64_t asSigned = 0;  // Some old programs summed signed characters.
  for (std::size_t at = 0; at < kBlock; ++at) {
    const bool inField = at >= kChecksum.at && at < kChecksum.at + kChecksum.size;
    const std::uint8_t byte = inField ? ' ' : block[at];
    asUnsigned += byte;
    asSigned += static_cast<std::int8_t>(byte);
  }
  return expected == asUnsigned || expected == asSigned;
}

bool parseSegments(const std::uint8_t* start, std::size_t count, std::vector<Segment>& segments) {
  constexpr std::size_t kNumber = 12;
  for (std::size_t at = 0; at < count; ++at) {
    const std::uint8_t* pair = start + at * 2 * kNumber;
    if (pair[0] == 0) break;
    std::int64_t offset = 0;
    std::int64_t length = 0;
    if (!parseHeaderNumber({pair, kNumber}, offset) ||
        !parseHeaderNumber({pair + kNumber, kNumber}, length) || offset < 0 || length < 0) {
      return false;
    }
    segments.push_back({static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(length)});
  }
  return true;
}

}  // namespace

bool isZeroBlock(const std::uint8_t* block) noexcept {
  return std::all_of(block, block + kBlock, [](std::uint8_t byte) { return byte == 0; });
}

Outcome parseTarHeader(const std::uint8_t* block, TarHeader& header) {
  if (!checksumHolds(block)) {
    return refused(code::kBadTar, "this is not a tar header, or it is damaged");
  }
  header.name = text(block, kName);
  header.link = text(block, kLink);
  header.type = static_cast<char>(block[kType]);
  const bool isUstar = std::memcmp(block + kMagic.at, "ustar\0", 6) == 0;
  const bool isGnu = std::memcmp(block + kMagic.at, "ustar  \0", kMagic.size) == 0;
  std::int64_t size = 0;
  bool fine = number(block, kSize, size) && size >= 0 && number(block, kMode, header.mode) &&
              number(block, kUid, header.uid) && number(block, kGid, header.gid) &&
              number(block, kModified, header.modified);
  if (isUstar || isGnu) {
    fine = fine && number(block, kDeviceMajor, header.deviceMajor) &&
           number(block, kDeviceMinor, header.deviceMinor);
  }
  if (!fine) return refused(code::kBadTar, "a number in the tar header is malformed");
  header.size = static_cast<std::uint64_t>(size);
  if (isUstar) {
    const std::string prefix = text(block, kPrefix);
    if (!prefix.empty()) header.name = prefix + '/' + header.name;
  }
  return {};
}

Outcome fillEntry(const TarHeader& header, TarEntry& entry) {
  entry.name = header.name;
  entry.link = header.link;
  entry.mode = static_cast<std::uint32_t>(header.mode & 07777);
  entry.dataBytes = header.size;
  entry.modified = {header.modified, 0};
  entry.accessed = entry.modified;
  const bool ownersFit =
      header.uid >= 0 && header.gid >= 0 && header.uid < UINT32_MAX && header.gid < UINT32_MAX;
  const bool deviceFits = header.deviceMajor >= 0 && header.deviceMinor >= 0 &&
                          header.deviceMajor < 4096 && header.deviceMinor < 1 << 20;
  if (!ownersFit) return refused(code::kBadTar, "a user or group id is out of range");
  if (!deviceFits) return refused(code::kBadTar, "a device number is out of range");
  entry.uid = static_cast<std::uint32_t>(header.uid);
  entry.gid = static_cast<std::uint32_t>(header.gid);
  entry.deviceMajor = static_cast<std::uint32_t>(header.deviceMajor);
  entry.deviceMinor = static_cast<std::uint32_t>(header.deviceMinor);
  switch (header.type) {
    case '\0':
    case '0':
      // Before ustar a directory was a file whose name ends in a slash.
      entry.type =
          header.name.ends_with('/') && header.size == 0 ? EntryType::kDirectory : EntryType::kFile;
      return {};
    case '7':
    case 'S':
      entry.type = EntryType::kFile;
      return {};
    case '1':
      entry.type = EntryType::kHardLink;
      return {};
    case '2':
      entry.type = EntryType::kSymlink;
      return {};
    case '3':
      entry.type = EntryType::kCharacter;
      return {};
    case '4':
      entry.type = EntryType::kBlock;
      return {};
    case '5':
      entry.type = EntryType::kDirectory;
      return {};
    case '6':
      entry.type = EntryType::kFifo;
      return {};
    default:
      return refused(code::kBadTar,
                     std::string("members of type '") + header.type + "' have no place in a layer");
  }
}

bool parseOldSparseHeader(const std::uint8_t* block, std::vector<Segment>& segments,
                          std::int64_t& realSize, bool& more) {
  more = block[kSparseMoreInHeader] != 0;
  return parseSegments(block + kSparseStart, kSparseInHeader, segments) &&
         number(block, kSparseRealSize, realSize) && realSize >= 0;
}

bool parseOldSparseExtension(const std::uint8_t* block, std::vector<Segment>& segments,
                             bool& more) {
  more = block[kSparseMoreInExtension] != 0;
  return parseSegments(block, kSparseInExtension, segments);
}

}  // namespace teu::layer
