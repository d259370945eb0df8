#pragma once

#include <asm/unistd.h>
#include <stdint.h>

#include "sys/kernel_abi.h"
#include "sys/raw_syscall.h"

namespace teu::sys {

inline uint64_t clockNs(int clock) noexcept {
  abi::Timespec now{};
  call(__NR_clock_gettime, clock, &now);
  return static_cast<uint64_t>(now.seconds) * 1'000'000'000 +
         static_cast<uint64_t>(now.nanoseconds);
}

/// CLOCK_MONOTONIC: for durations.
inline uint64_t monotonicNs() noexcept {
  return clockNs(1);
}
/// CLOCK_REALTIME: for what people read.
inline uint64_t wallClockNs() noexcept {
  return clockNs(0);
}

}  // namespace teu::sys
