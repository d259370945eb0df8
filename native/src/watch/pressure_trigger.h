#pragma once

#include <cstdint>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu::watch {

/// Length of the window that waiting is measured in.
inline constexpr std::uint64_t kWindowMicroseconds = 2'000'000;

/// Has the kernel tell when at least one task of a group has waited that long within the window
/// (kernel: Documentation/accounting/psi.rst). The descriptor becomes ready as POLLPRI, once a
/// window at most.
///
/// Asked for by a process with CAP_SYS_RESOURCE, every trigger costs a kernel thread for its group;
/// without it the window must be a multiple of two seconds, and the thread is one that runs anyway
/// (Linux 6.5). So it is asked for without first.
///
/// @param file is "memory.pressure", "io.pressure" or "cpu.pressure"
Result<UniqueFd> makePressureTrigger(int group, const char* file, std::uint64_t waitedMicroseconds);

}  // namespace teu::watch
