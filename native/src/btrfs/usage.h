// How much disk a subvolume takes beside the one that it is a snapshot of.
#pragma once

#include <cstdint>
#include <vector>

#include "sys/result.h"

namespace teu::btrfs {

struct Usage {
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;
};

/// Adds up what a family of subvolumes has written since each was made. Data counts by whole
/// extents, each once; metadata by the leaves that it fills. Takes as long as there are changes,
/// however large the snapshot is. What is not on the disk yet is not seen.
Result<Usage> measureUsage(int fd, const std::vector<std::uint64_t>& family);

}  // namespace teu::btrfs
