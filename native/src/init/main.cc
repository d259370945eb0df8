// teu-init: becomes the supervisor of one program. The addon starts it with
//   0, 1, 2  /dev/null
//   3        a memory file with the launch plan
//   4        the control connection to the launching process
#include <linux/prctl.h>

#include "init/launch_report.h"
#include "init/loaded_plan.h"
#include "init/supervisor.h"
#include "launch/steps.h"
#include "sys/memory.h"
#include "sys/processes.h"

namespace teu {
namespace {

constexpr int kPlanFd = 3;
constexpr int kControlFd = 4;

/// From the first moment on: nothing traces us, no signal stops us, orphans come to us.
Status settle() noexcept {
  if (Status s = sys::processControl(PR_SET_DUMPABLE, 0); !s) return s;
  if (Status s = sys::blockSignals(true); !s) return s;
  if (Status s = sys::newSession(); !s) return s;
  if (Status s = sys::processControl(PR_SET_CHILD_SUBREAPER, 1); !s) return s;
  const auto name = reinterpret_cast<unsigned long>("teu-init");
  if (Status s = sys::processControl(PR_SET_NAME, name); !s) return s;
  return statusOf(sys::call(__NR_chdir, "/"), "chdir");
}

}  // namespace

[[noreturn]] void runInit(int, char**) noexcept {
  const uint64_t entered = sys::monotonicNs();
  Result<Mapping> page = Mapping::ofMemory(sizeof(LaunchReport), Mapping::Sharing::kShared);
  if (!page) sys::exitProcess(1);
  auto& report = *reinterpret_cast<LaunchReport*>(page.value().data());
  report.phases.init = entered;
  Supervisor supervisor(UniqueFd(kControlFd), report);
  if (Status s = settle(); !s) supervisor.fail(s.during(step::kSupervisor).error());
  {
    LoadedPlan loaded;
    if (Status s = loadPlan(UniqueFd(kPlanFd), loaded); !s) {
      supervisor.fail(s.during(step::kPlan).error());
    }
    endPhase(report.phases.plan);
    if (Status s = supervisor.begin(loaded.plan); !s) {
      supervisor.fail(s.during(step::kSupervisor).error());
    }
  }
  supervisor.run();
}

}  // namespace teu
