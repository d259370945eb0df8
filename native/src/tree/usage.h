#pragma once

#include <cstdint>

#include "tree/outcome.h"

namespace teu::tree {

/// Disk use of a tree; a file with several names counts once.
struct Usage {
  std::uint64_t bytes = 0;      ///< of allocated blocks
  std::uint64_t exclusive = 0;  ///< of those that no other file shares
  std::uint64_t inodes = 0;
};

/// Measures a tree that may be written to meanwhile: what vanishes is left out. `exclusive` costs a
/// look at the extents of every file (FIEMAP, Linux Documentation/filesystems/fiemap.rst) and is
/// `bytes` where the file system does not tell them.
Outcome measureTree(const char* root, bool exclusive, Usage& usage);

}  // namespace teu::tree
