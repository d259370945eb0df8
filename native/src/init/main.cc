// teu-init: becomes the supervisor of one program. The addon starts it with
//   0, 1, 2  /dev/null
//   3        a memory file with the launch plan
//   4        the control connection to the launching process
#include <linux/prctl.h>

#include "init/launch_report.h"
#include "init/supervisor.h"
#include "launch/plan_reader.h"
#include "launch/steps.h"
#include "sys/files.h"
#include "sys/memory.h"
#include "sys/processes.h"

namespace teu {
namespace {

constexpr int kPlanFd = 3;
constexpr int kControlFd = 4;
constexpr int kEfbig = 27;
constexpr size_t kMaxPlanBytes = 16 * 1024 * 1024;
/// Lists of a plan never need more than this times its own size: the worst is a 4-byte text that
/// becomes a pointer.
constexpr size_t kArenaFactor = 16;

/// The plan's bytes and the lists that point into them.
struct LoadedPlan {
  Mapping bytes;
  Mapping lists;
  LaunchPlan plan{};
};

Status loadPlan(UniqueFd&& file, LoadedPlan& loaded) noexcept {
  Result<sys::FileInfo> info = sys::fileInfo(file.get());
  if (!info) return info.status();
  const size_t size = info.value().size;
  if (size == 0 || size > kMaxPlanBytes) return brokenRule(kEfbig, "plan size");
  Result<Mapping> bytes = Mapping::ofFile(file.get(), size);
  if (!bytes) return bytes.status();
  Result<Mapping> lists = Mapping::ofMemory(size * kArenaFactor, Mapping::Sharing::kPrivate);
  if (!lists) return lists.status();
  loaded.bytes = static_cast<Mapping&&>(bytes.value());
  loaded.lists = static_cast<Mapping&&>(lists.value());
  Arena arena(loaded.lists.data(), loaded.lists.size());
  return readLaunchPlan(loaded.bytes.data(), size, arena, loaded.plan);
}

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
