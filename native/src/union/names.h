// Names with a meaning in a branch, as AUFS has them.
#pragma once

#include <limits.h>

#include <string>
#include <string_view>

namespace teu::unionfs {

inline constexpr std::string_view kWhiteoutPrefix = ".wh.";
inline constexpr const char* kOpaqueMark = ".wh..wh.opq";
/// In the root of a branch: the file that all whiteouts are links of; the names of files with
/// several names that were copied up; where things are made before they are shown.
inline constexpr const char* kWhiteoutBase = ".wh..wh.aufs";
inline constexpr const char* kPseudoLinks = ".wh..wh.plnk";
inline constexpr const char* kWorkPlace = ".wh..wh.orph";

/// Longest name whose whiteout is a name too.
inline constexpr std::size_t kMaxName = NAME_MAX - kWhiteoutPrefix.size();

/// Whether a name belongs to the union itself, and is never shown or made for others.
inline bool isReserved(std::string_view name) {
  return name.starts_with(kWhiteoutPrefix);
}

/// Whether a reserved name is one of AUFS' own marks, not the whiteout of a name.
inline bool isMark(std::string_view name) {
  return name.starts_with(".wh..wh.");
}

inline std::string whiteoutOf(std::string_view name) {
  return std::string(kWhiteoutPrefix) + std::string(name);
}

}  // namespace teu::unionfs
