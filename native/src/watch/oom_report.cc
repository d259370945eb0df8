#include "watch/oom_report.h"

#include "watch/oom_lines.h"

namespace teu::watch {
namespace {

/// The kill follows its report at once, or as late as a slow console lets it.
constexpr std::uint64_t kLongestReportMicroseconds = 30'000'000;
/// Two paths of at most 4096 bytes, and what is around them.
constexpr std::size_t kLongestVictim = 16384;

}  // namespace

void OomAssembler::forget() {
  *this = OomAssembler{};
}

std::optional<OomReport> OomAssembler::take(const KmsgRecord& record) {
  if (!record.fromKernel) return std::nullopt;
  if (beginsReport(record.text)) {
    forget();
    return std::nullopt;
  }
  if (const auto usage = parseUsage(record.text)) {
    LimitFigures& figures = usage->what == "memory" ? memory_ : memoryAndSwap_;
    // Version 2 counts swap by itself, and nothing is killed at the limit of it.
    if (usage->what != "swap") figures = {usage->usageKib, usage->limitKib};
    return std::nullopt;
  }
  if (record.text.starts_with(kVictimPrefix)) {
    victim_ = record.text;
    victimCaller_ = record.caller;
    victimMicroseconds_ = record.microseconds;
    return std::nullopt;
  }
  // The kernel writes that line in pieces; what another processor writes in between makes records
  // of their own of the pieces behind it.
  if (record.isFragment && !victim_.empty() && !isWholeVictim(victim_)) {
    const bool isOfVictim = record.caller == victimCaller_;
    if (isOfVictim && victim_.size() + record.text.size() <= kLongestVictim) victim_ += record.text;
    return std::nullopt;
  }
  const auto kill = parseKill(record.text);
  if (!kill) return std::nullopt;
  const auto victim = parseVictim(victim_, kill->comm, kill->pid, kill->uid);
  const bool isFresh = record.microseconds - victimMicroseconds_ <= kLongestReportMicroseconds;
  std::optional<OomReport> report;
  if (victim && isFresh && (victim->constraint == "MEMCG") == kill->inGroup) {
    report = OomReport{.sequence = record.sequence,
                       .microseconds = record.microseconds,
                       .constraint = std::string(victim->constraint),
                       .limitGroup = std::string(victim->limitGroup),
                       .taskGroup = std::string(victim->taskGroup),
                       .memory = memory_,
                       .memoryAndSwap = memoryAndSwap_,
                       .pid = kill->pid,
                       .comm = std::string(kill->comm),
                       .uid = kill->uid,
                       .anonymousKib = kill->anonymousKib,
                       .fileKib = kill->fileKib,
                       .sharedKib = kill->sharedKib,
                       .scoreAdjustment = kill->scoreAdjustment};
  }
  forget();
  return report;
}

}  // namespace teu::watch
