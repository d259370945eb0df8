#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <tuple>

#include "trees/walk.h"

namespace teu::produce {

/// One file of a tree, whatever its names.
using FileKey = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>;

FileKey keyOf(const struct statx& info) noexcept;

/// Which files with several names have to be in a layer. A layer cannot say that a new name belongs
/// to a file of the layers below: some programs apply it to an empty directory. So if one name of a
/// file is added or changed, or two names have become one file, all its names go in.
class LinkGroups {
 public:
  /// Whether a name is one that find() has looked at.
  static bool concerns(const trees::Pair& pair) noexcept;

  /// Walks both trees. Both positions are at their roots again after it.
  trees::Outcome find(trees::Position& old, trees::Position& changed, bool descends);
  bool isTouched(const struct statx& changed) const;

 private:
  class Look;

  std::map<FileKey, bool> touched_;
};

}  // namespace teu::produce
