#pragma once

#include <cstdint>
#include <functional>

#include "union/failures.h"

namespace teu::unionfs {

/// An entry of a directory on disk, without "." and "..".
struct DirectoryEntry {
  const char* name;
  std::uint64_t inode;
  unsigned char type;  ///< DT_*
};

/// Calls `visit` for what is in a directory, from its beginning, until that fails. The descriptor
/// may be O_PATH.
Status forEachName(int directory, const std::function<Status(const DirectoryEntry&)>& visit);

}  // namespace teu::unionfs
