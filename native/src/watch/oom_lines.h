// Lines of the kernel's reports of kills for want of memory (kernel: mm/oom_kill.c,
// mm/memcontrol.c). Names in them are hostile: a process names itself, and a container with cgroups
// of its own names those. A line that can be read in two ways is not read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace teu::watch {

/// Longest name of a task: TASK_COMM_LEN without the NUL.
inline constexpr std::size_t kLongestComm = 15;

/// "memory: usage 16384kB, limit 16384kB, failcnt 0", and the same for "memory+swap" and "swap".
struct UsageLine {
  std::string_view what;
  std::uint64_t usageKib = 0;
  std::uint64_t limitKib = 0;
};
std::optional<UsageLine> parseUsage(std::string_view text);

/// "Memory cgroup out of memory: Killed process 26716 (tail) total-vm:18676kB, ...".
struct KillLine {
  bool inGroup = false;  ///< at the limit of a group; false: the host's memory
  std::uint32_t pid = 0;
  std::string_view comm;
  std::uint64_t anonymousKib = 0;
  std::uint64_t fileKib = 0;
  std::uint64_t sharedKib = 0;
  std::uint32_t uid = 0;
  std::int32_t scoreAdjustment = 0;
};
std::optional<KillLine> parseKill(std::string_view text);

/// "oom-kill:constraint=CONSTRAINT_MEMCG,...,oom_memcg=/a,task_memcg=/a/b,task=tail,pid=26716,uid=0".
struct VictimLine {
  std::string_view constraint;  ///< "MEMCG", "NONE", "CPUSET" or "MEMORY_POLICY"
  std::string_view limitGroup;  ///< group whose limit it was; empty for none
  std::string_view taskGroup;   ///< group of the process
};
/// @param comm, pid, uid are those of the kill, which the line must agree with.
std::optional<VictimLine> parseVictim(std::string_view text, std::string_view comm,
                                      std::uint32_t pid, std::uint32_t uid);

/// Whether such a line has its end, ",pid=5,uid=0".
bool isWholeVictim(std::string_view text);

/// How a line of parseVictim begins.
inline constexpr std::string_view kVictimPrefix = "oom-kill:constraint=CONSTRAINT_";

/// Whether a new report begins: "tail invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0,
/// ...".
bool beginsReport(std::string_view text);

/// Path of the group of "cgroup: fork rejected by pids controller in /a/b", which is told once for
/// each group.
std::optional<std::string_view> parseForkRejected(std::string_view text);

}  // namespace teu::watch
