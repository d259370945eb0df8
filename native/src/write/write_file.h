#pragma once

#include <string_view>

#include "sys/result.h"

namespace teu::write {

/// Writes `text` to a file that exists, in one write(2) as cgroup files want it (cgroup-v2.rst).
/// Fails with the steps "open" and "write"; EIO if the kernel takes a part only.
Status writeFile(const char* path, std::string_view text);

}  // namespace teu::write
