// Loading a program and attaching it to a cgroup.
#pragma once

#include <linux/bpf.h>

#include <vector>

#include "sys/result.h"

namespace teu::devices {

/// Has the kernel run a program for a group; one that was attached so before is replaced in one
/// step (bpf(2), BPF_PROG_ATTACH).
/// @param overridable whether groups below may have programs of their own
Status attachProgram(const char* directory, const std::vector<bpf_insn>& program, bool overridable);

}  // namespace teu::devices
