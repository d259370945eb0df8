// What the child tells the supervisor during set-up: one page that both share until the execve. No
// system call is needed to write it, so it works after a seccomp filter is in force.
#pragma once

#include <stdint.h>

#include "launch/frames.h"
#include "sys/clock.h"
#include "sys/result.h"
#include "sys/text.h"

namespace teu {

struct LaunchReport {
  LaunchPhases phases;
  volatile int
      processPid;  ///< of the program in the host's numbers, when an intermediate process made it
  volatile bool failed;
  volatile bool executing;         ///< all set up; only execve is left
  volatile uint32_t networkReady;  ///< a futex: set by the supervisor, awaited by the child
  int errorNumber;
  char step[32];
  char syscall[64];
  char path[512];

  /// Keeps a failure, cutting texts that are too long.
  void fail(const SysError& error) noexcept {
    errorNumber = error.number;
    copy(step, error.step);
    copy(syscall, error.syscall);
    copy(path, error.path);
    failed = true;
  }

  SysError error() const noexcept {
    return {.number = errorNumber, .syscall = syscall, .step = step, .path = path};
  }

 private:
  template <size_t Size>
  static void copy(char (&to)[Size], const char* from) noexcept {
    size_t at = 0;
    for (; at + 1 < Size && from[at] != '\0'; ++at) to[at] = from[at];
    to[at] = '\0';
  }
};
static_assert(sizeof(LaunchReport) <= 4096);

inline void endPhase(uint64_t& phase) noexcept {
  phase = sys::monotonicNs();
}

}  // namespace teu
