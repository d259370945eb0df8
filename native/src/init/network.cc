#include "init/network.h"

#include <linux/futex.h>
#include <linux/sched.h>

#include "sys/files.h"
#include "sys/processes.h"
#include "sys/sockets.h"

namespace teu {

Status raiseNetwork(int childPidfd, LaunchReport& report) noexcept {
  constexpr const char* kOwn = "/proc/self/ns/net";
  Result<UniqueFd> own = sys::openAt(abi::kAtFdCwd, kOwn, abi::kOpenReadOnly);
  if (!own) return own.status().on(kOwn);
  if (Status s = sys::setNamespace(childPidfd, CLONE_NEWNET); !s) return s;
  const Status raised = sys::raiseLoopback();
  if (Status s = sys::setNamespace(own.value().get(), CLONE_NEWNET); !s) return s;
  if (!raised) return raised;
  report.networkReady = 1;
  sys::call(__NR_futex, const_cast<uint32_t*>(&report.networkReady), FUTEX_WAKE, 1, 0, 0, 0);
  return {};
}

void awaitNetwork(LaunchReport& report) noexcept {
  // Should the supervisor fail or die instead, it takes this process with it.
  while (report.networkReady == 0) {
    sys::call(__NR_futex, const_cast<uint32_t*>(&report.networkReady), FUTEX_WAIT, 0, 0, 0, 0);
  }
}

}  // namespace teu
