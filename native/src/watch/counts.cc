#include "watch/counts.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

namespace teu::watch {
namespace {

/// Version 1. When memory plus swap is limited like memory, the kernel counts no failures
/// (seen: 6.18), and only the threshold says that the limit was reached.
void readMemory(int group, Counts& counts) {
  counts.memoryMax = readNumber(group, "memory.failcnt").value_or(0);
  counts.oomKill =
      valueOf(readFile(group, "memory.oom_control").value_or(""), "oom_kill").value_or(0);
}

void readUnified(int group, Counts& counts) {
  if (const auto events = readFile(group, "memory.events")) {
    counts.oomKill = valueOf(*events, "oom_kill").value_or(0);
    // Only its own limits, not those of groups in it. Linux 5.2.
    const auto local = readFile(group, "memory.events.local");
    counts.memoryMax = valueOf(local.value_or(*events), "max").value_or(0);
    counts.memoryHigh = valueOf(local.value_or(*events), "high").value_or(0);
  }
  if (const auto events = readFile(group, pidsEventsFile(group))) {
    counts.pidsMax = valueOf(*events, "max").value_or(0);
  }
}

}  // namespace

const char* pidsEventsFile(int group) {
  const char* local = "pids.events.local";
  return faccessat(group, local, F_OK, 0) == 0 ? local : "pids.events";
}

Counts readCounts(const Hierarchies& hierarchies, const std::string& path, bool& exists) {
  Counts counts;
  exists = false;
  const auto in = [&](const UniqueFd& root, const auto& read) {
    if (!root) return;
    Result<UniqueFd> group = openGroup(root, path);
    // One that cannot be looked at just now, for want of descriptors or memory, is not gone.
    exists |= group || group.error().number != ENOENT;
    if (!group) return;
    read(group.value().get());
  };
  in(hierarchies.memory, [&](int group) { readMemory(group, counts); });
  in(hierarchies.pids, [&](int group) {
    counts.pidsMax = valueOf(readFile(group, "pids.events").value_or(""), "max").value_or(0);
  });
  in(hierarchies.unified, [&](int group) { readUnified(group, counts); });
  return counts;
}

}  // namespace teu::watch
