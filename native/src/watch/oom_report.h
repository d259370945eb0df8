// What the kernel tells of one kill in several records, put together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "watch/kmsg_record.h"

namespace teu::watch {

/// Use of a counter and its limit, in KiB; a limit of 0 is not known.
struct LimitFigures {
  std::uint64_t usageKib = 0;
  std::uint64_t limitKib = 0;
};

/// One kill for want of memory.
struct OomReport {
  std::uint64_t sequence = 0;      ///< of the record that told of the kill
  std::uint64_t microseconds = 0;  ///< when, by the kernel's clock
  std::string constraint;          ///< "MEMCG", "NONE", "CPUSET" or "MEMORY_POLICY"
  std::string limitGroup;          ///< path of the group whose limit it was; empty for none
  std::string taskGroup;           ///< path of the group of the process
  LimitFigures memory;
  LimitFigures memoryAndSwap;
  std::uint32_t pid = 0;
  std::string comm;
  std::uint32_t uid = 0;
  std::uint64_t anonymousKib = 0;
  std::uint64_t fileKib = 0;
  std::uint64_t sharedKib = 0;
  std::int32_t scoreAdjustment = 0;
};

/// Takes records in their order and gives a report when it is whole. Kills of which the kernel
/// names no group (it writes ten reports in five seconds, and then only that something was killed;
/// and the other processes of a group with memory.oom.group) give none: whose they were would be a
/// guess.
class OomAssembler {
 public:
  std::optional<OomReport> take(const KmsgRecord& record);

 private:
  void forget();

  LimitFigures memory_{};
  LimitFigures memoryAndSwap_{};
  std::string victim_{};
  std::string victimCaller_{};
  std::uint64_t victimMicroseconds_ = 0;
};

}  // namespace teu::watch
