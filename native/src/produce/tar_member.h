#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace teu::produce {

/// Type flags of ustar (pax(1)).
namespace tarType {
inline constexpr char kFile = '0';
inline constexpr char kHardLink = '1';
inline constexpr char kSymlink = '2';
inline constexpr char kCharacter = '3';
inline constexpr char kBlock = '4';
inline constexpr char kDirectory = '5';
inline constexpr char kFifo = '6';
inline constexpr char kExtension = 'x';
}  // namespace tarType

/// What the header of one member says.
struct TarMember {
  std::string name{};  ///< without a slash in front; ends in one if it is a directory
  std::string link{};
  char type = tarType::kFile;
  unsigned mode = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  std::uint64_t size = 0;  ///< bytes of data in the archive
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::vector<std::pair<std::string, std::string>> attributes{};  ///< extended ones, by name
  bool sparse = false;                                            ///< its data begin with a map
  std::uint64_t fileBytes = 0;                                    ///< of a sparse one
};

inline constexpr std::size_t kBlockBytes = 512;

/// Bytes that fill the last block.
constexpr std::size_t paddingOf(std::uint64_t size) noexcept {
  return (kBlockBytes - size % kBlockBytes) % kBlockBytes;
}

/// The header blocks of a member: ustar where that can say it, PAX records in front for the rest,
/// long names, times below a second, large numbers, extended attributes (pax(1)), and sparse files
/// in the form 1.0 of GNU tar. The same member always has the same bytes.
std::string encodeHeader(const TarMember& member);

}  // namespace teu::produce
