// The program that the kernel runs whenever a process of a group makes or opens a device node.
#pragma once

#include <linux/bpf.h>

#include <vector>

#include "devices/rule.h"

namespace teu::devices {

/// Makes a program of rules. It goes from the last rule to the first, and keeps which kinds of
/// access no rule has decided yet: a rule that denies one of them ends it, and so does the one that
/// allows the last of them.
std::vector<bpf_insn> makeProgram(const std::vector<Rule>& rules);

}  // namespace teu::devices
