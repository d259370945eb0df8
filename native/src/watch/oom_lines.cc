#include "watch/oom_lines.h"

#include <array>
#include <limits>

#include "conversation/words.h"

namespace teu::watch {
namespace {

using Text = std::string_view;

bool takePrefix(Text& text, Text prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool takeSuffix(Text& text, Text suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

/// Takes the digits at the front as a number.
std::optional<std::uint64_t> takeNumber(Text& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = conversation::parseNumber(text.substr(0, end));
  if (number) text.remove_prefix(end);
  return number;
}

/// Takes the digits at the end as a number.
std::optional<std::uint64_t> takeLastNumber(Text& text) {
  const std::size_t before = text.find_last_not_of("0123456789");
  const std::size_t begin = before == Text::npos ? 0 : before + 1;
  const auto number = conversation::parseNumber(text.substr(begin));
  if (number) text.remove_suffix(text.size() - begin);
  return number;
}

std::optional<std::uint32_t> narrow(std::optional<std::uint64_t> number) {
  if (!number || *number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

/// Position of what stands in a text exactly once.
std::optional<std::size_t> findOnly(Text text, Text wanted) {
  const std::size_t first = text.find(wanted);
  if (first == Text::npos || text.find(wanted, first + 1) != Text::npos) return std::nullopt;
  return first;
}

/// Takes "LABEL123kB" off the end.
bool takeKib(Text& text, Text label, std::uint64_t& value) {
  if (!takeSuffix(text, "kB")) return false;
  const auto number = takeLastNumber(text);
  if (!number || !takeSuffix(text, label)) return false;
  value = *number;
  return true;
}

/// Takes ":-123" with what stands before it off the end.
bool takeScore(Text& text, Text label, std::int32_t& value) {
  const auto number = takeLastNumber(text);
  if (!number || *number > 1000) return false;
  const bool negative = takeSuffix(text, "-");
  value = static_cast<std::int32_t>(*number) * (negative ? -1 : 1);
  return takeSuffix(text, label);
}

bool takeKillPrefix(Text& text, bool& inGroup) {
  inGroup = text.starts_with("Memory cgroup ");
  return takePrefix(text, "Memory cgroup out of memory: Killed process ") ||
         takePrefix(text, "Out of memory (oom_kill_allocating_task): Killed process ") ||
         takePrefix(text, "Out of memory: Killed process ");
}

constexpr std::array<Text, 4> kConstraints{"NONE", "CPUSET", "MEMORY_POLICY", "MEMCG"};

/// Takes "CONSTRAINT_X," off the front.
std::optional<Text> takeConstraint(Text& text) {
  if (!takePrefix(text, kVictimPrefix)) return std::nullopt;
  for (const Text name : kConstraints) {
    if (!text.starts_with(name) || !text.substr(name.size()).starts_with(",nodemask=")) continue;
    text.remove_prefix(name.size());
    return name;
  }
  return std::nullopt;
}

/// Whether what is left of the paths ends as the kernel ends it, with a list of memory nodes.
bool endsWithNodes(Text text) {
  const std::size_t end = text.find_last_not_of("0123456789,-");
  return end != Text::npos && text.substr(0, end + 1).ends_with(",mems_allowed=");
}

bool isBelow(Text path, Text group) {
  if (group == "/" || path == group) return true;
  return path.starts_with(group) && path.substr(group.size()).starts_with('/');
}

}  // namespace

std::optional<UsageLine> parseUsage(Text text) {
  UsageLine line;
  for (const Text what : {"memory+swap", "memory", "swap"}) {
    if (!text.starts_with(what) || !text.substr(what.size()).starts_with(": usage ")) continue;
    line.what = text.substr(0, what.size());
  }
  if (line.what.empty()) return std::nullopt;
  text.remove_prefix(line.what.size());
  (void)takePrefix(text, ": usage ");
  const auto usage = takeNumber(text);
  if (!usage || !takePrefix(text, "kB, limit ")) return std::nullopt;
  const auto limit = takeNumber(text);
  if (!limit || !takePrefix(text, "kB, failcnt ")) return std::nullopt;
  if (!takeNumber(text) || !text.empty()) return std::nullopt;
  line.usageKib = *usage;
  line.limitKib = *limit;
  return line;
}

std::optional<KillLine> parseKill(Text text) {
  KillLine line;
  if (!takeKillPrefix(text, line.inGroup)) return std::nullopt;
  const auto pid = narrow(takeNumber(text));
  if (!pid || !takePrefix(text, " (")) return std::nullopt;
  // From the right: the name may hold anything, but it ends where this can be read no further.
  std::uint64_t ignored = 0;
  if (!takeScore(text, " oom_score_adj:", line.scoreAdjustment)) return std::nullopt;
  if (!takeKib(text, " pgtables:", ignored)) return std::nullopt;
  const auto uid = narrow(takeLastNumber(text));
  if (!uid || !takeSuffix(text, ", UID:")) return std::nullopt;
  if (!takeKib(text, ", shmem-rss:", line.sharedKib)) return std::nullopt;
  if (!takeKib(text, ", file-rss:", line.fileKib)) return std::nullopt;
  if (!takeKib(text, ", anon-rss:", line.anonymousKib)) return std::nullopt;
  if (!takeKib(text, ") total-vm:", ignored)) return std::nullopt;
  if (text.size() > kLongestComm) return std::nullopt;
  line.pid = *pid;
  line.uid = *uid;
  line.comm = text;
  return line;
}

std::optional<VictimLine> parseVictim(Text text, Text comm, std::uint32_t pid, std::uint32_t uid) {
  const std::string end = ",task=" + std::string(comm) + ",pid=" + std::to_string(pid) +
                          ",uid=" + std::to_string(static_cast<std::int32_t>(uid));
  VictimLine line;
  const auto constraint = takeConstraint(text);
  if (!constraint || !takeSuffix(text, end)) return std::nullopt;
  line.constraint = *constraint;
  const auto taskAt = findOnly(text, ",task_memcg=");
  if (!taskAt) return std::nullopt;
  line.taskGroup = text.substr(*taskAt + Text(",task_memcg=").size());
  text = text.substr(0, *taskAt);
  if (line.constraint == "MEMCG") {
    const auto limitAt = findOnly(text, ",oom_memcg=");
    if (!limitAt) return std::nullopt;
    line.limitGroup = text.substr(*limitAt + Text(",oom_memcg=").size());
    text = text.substr(0, *limitAt);
    if (!line.limitGroup.starts_with('/') || !isBelow(line.taskGroup, line.limitGroup)) {
      return std::nullopt;
    }
  } else if (!takeSuffix(text, ",global_oom")) {
    return std::nullopt;
  }
  if (!line.taskGroup.starts_with('/') || !endsWithNodes(text)) return std::nullopt;
  return line;
}

bool isWholeVictim(Text text) {
  if (!takeLastNumber(text)) return false;
  // The kernel prints it as if it had a sign.
  (void)takeSuffix(text, "-");
  return takeSuffix(text, ",uid=") && takeLastNumber(text) && takeSuffix(text, ",pid=");
}

bool beginsReport(Text text) {
  const std::size_t at = text.find(" invoked oom-killer: gfp_mask=0x");
  return at != Text::npos && at <= kLongestComm;
}

std::optional<Text> parseForkRejected(Text text) {
  if (!takePrefix(text, "cgroup: fork rejected by pids controller in ")) return std::nullopt;
  return text.starts_with('/') ? std::optional(text) : std::nullopt;
}

}  // namespace teu::watch
