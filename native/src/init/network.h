#pragma once

#include "init/launch_report.h"
#include "sys/result.h"

namespace teu {

/// In the supervisor: brings up the loopback of the child's new network namespace, and tells the
/// child. It takes the kernel's one lock for all networks, which the dismantling of other
/// namespaces holds for milliseconds: time that the child spends on its mounts instead.
Status raiseNetwork(int childPidfd, LaunchReport& report) noexcept;

/// In the child: waits for that.
void awaitNetwork(LaunchReport& report) noexcept;

}  // namespace teu
