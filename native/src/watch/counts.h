#pragma once

#include <cstdint>
#include <string>

#include "watch/hierarchies.h"

namespace teu::watch {

/// How often limits of a group were reached since it was made, as its files say.
struct Counts {
  std::uint64_t pidsMax = 0;
  std::uint64_t memoryMax = 0;
  std::uint64_t memoryHigh = 0;
  std::uint64_t oomKill = 0;  ///< on version 2 also of groups below

  bool operator==(const Counts&) const = default;
};

/// File of a group of version 2 that counts forks which failed at its own limit. Since Linux 6.11
/// pids.events counts those of groups below too (cgroup-v2.rst).
const char* pidsEventsFile(int group);

/// Reads them. What a hierarchy does not have is 0.
///
/// @param exists is set to whether the group is in any hierarchy.
Counts readCounts(const Hierarchies& hierarchies, const std::string& path, bool& exists);

}  // namespace teu::watch
