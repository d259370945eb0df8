// Events of version 1 groups.
#pragma once

#include <string>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu::watch {

/// An eventfd that is not waited for.
Result<UniqueFd> makeEvent();

/// Has an eventfd signalled by a file of a version 1 group, also when the group is removed (kernel:
/// Documentation/admin-guide/cgroup-v1/memory.rst, sections 9 to 11).
Status notify(int group, int event, const char* file, const std::string& argument);

}  // namespace teu::watch
