// Loading a program and attaching it to a cgroup.
#pragma once

#include <linux/bpf.h>

#include <vector>

#include "sys/result.h"

namespace teu::devices {

/// Has the kernel run a program for a group; one that was attached so before is replaced in one
/// step (bpf(2), BPF_PROG_ATTACH).
/// @param overridable whether groups below may have programs of their own
/// Its memory is not limited: see liftLockedMemory().
Status attachProgram(const char* directory, const std::vector<bpf_insn>& program, bool overridable);

/// Lifts this process's limit on locked memory, as far as it may. Kernels before 5.11 count every
/// program of a user against it, as long as the program is attached, and answer EPERM when it is
/// used up (getrlimit(2), RLIMIT_MEMLOCK). Later ones count the memory of cgroups, so a failure is
/// for the kernel to tell.
void liftLockedMemory();

}  // namespace teu::devices
