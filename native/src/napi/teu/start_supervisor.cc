#include "napi/teu/start_supervisor.h"

#include <linux/sched.h>

#include "napi/teu/memory_file.h"
#include "napi/teu/shared_memory_clone.h"
#include "sys/files.h"
#include "sys/processes.h"
#include "sys/raw_syscall.h"

namespace teu {
namespace {

constexpr int kPlanFd = 3;
constexpr int kControlFd = 4;
constexpr int kFirstForeignFd = 5;
/// Above all numbers that the child puts things on.
constexpr int kSafeFdsFrom = 16;
constexpr size_t kStackBytes = 16 * 1024;

/// What the child reads, and writes its outcome to, in the memory it shares with us.
struct Start {
  int initImage;
  int nullDevice;
  int plan;
  int control;
  const char* title;
  volatile long error;
  const char* volatile syscall;
  alignas(16) uint8_t stack[kStackBytes];
};

int failStart(Start& start, long answer, const char* syscall) noexcept {
  start.error = answer;
  start.syscall = syscall;
  return 1;
}

int becomeSupervisor(void* argument) noexcept {
  Start& start = *static_cast<Start*>(argument);
  struct {
    int from;
    int to;
  } const placed[] = {{start.nullDevice, 0},
                      {start.nullDevice, 1},
                      {start.nullDevice, 2},
                      {start.plan, kPlanFd},
                      {start.control, kControlFd}};
  for (const auto& place : placed) {
    const long answer = sys::call(__NR_dup3, place.from, place.to, 0);
    if (answer < 0) return failStart(start, answer, "dup3");
  }
  constexpr unsigned kMarkOnExec = 4;
  long answer = sys::call(__NR_close_range, kFirstForeignFd, ~0U, kMarkOnExec);
  if (answer < 0) return failStart(start, answer, "close_range");
  const char* arguments[] = {"teu-init", start.title, nullptr};
  const char* const environment[] = {nullptr};
  answer = sys::call(__NR_execveat, start.initImage, "", arguments, environment, abi::kAtEmptyPath);
  return failStart(start, answer, "execveat");
}

/// Signals stay away while a child runs in our memory.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    const uint64_t all = ~uint64_t{0};
    sys::call(__NR_rt_sigprocmask, kSetMask, &all, &previous_, sizeof all);
  }
  ~SignalsBlocked() { sys::call(__NR_rt_sigprocmask, kSetMask, &previous_, 0, sizeof previous_); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  static constexpr int kSetMask = 2;
  uint64_t previous_ = 0;
};

Result<int> runClone(Start& start) noexcept {
  const SignalsBlocked blocked;
  const long pid = cloneSharingMemory(CLONE_CLEAR_SIGHAND, start.stack, sizeof start.stack,
                                      becomeSupervisor, &start);
  if (pid < 0) return statusOf(pid, "clone3");
  if (start.error == 0) return static_cast<int>(pid);
  static_cast<void>(sys::waitFor(static_cast<int>(pid)));
  return statusOf(start.error, start.syscall);
}

Result<UniqueFd> aside(UniqueFd&& fd) noexcept {
  if (fd.get() >= kSafeFdsFrom) return static_cast<UniqueFd&&>(fd);
  return sys::duplicateAbove(fd.get(), kSafeFdsFrom);
}

Result<UniqueFd> planFile(const uint8_t* plan, size_t size) noexcept {
  Result<UniqueFd> file = makeMemoryFile("teu-plan", MemoryFileUse::kData);
  if (!file) return file;
  if (Status s = sys::writeAll(file.value().get(), plan, size); !s) return s;
  return aside(static_cast<UniqueFd&&>(file.value()));
}

Status makeControl(UniqueFd& ours, UniqueFd& theirs) noexcept {
  constexpr int kFamilyUnix = 1, kTypeStream = 1;
  constexpr int kType = kTypeStream | abi::kOpenCloseOnExec | abi::kOpenNonBlocking;
  int ends[2] = {-1, -1};
  const long answer = sys::call(__NR_socketpair, kFamilyUnix, kType, 0, ends);
  if (answer < 0) return statusOf(answer, "socketpair");
  ours.reset(ends[0]);
  theirs.reset(ends[1]);
  Result<UniqueFd> moved = aside(static_cast<UniqueFd&&>(theirs));
  if (!moved) return moved.status();
  theirs = static_cast<UniqueFd&&>(moved.value());
  return {};
}

}  // namespace

Result<StartedSupervisor> startSupervisor(int initImage, const uint8_t* plan, size_t planSize,
                                          const char* title) noexcept {
  Result<UniqueFd> planCopy = planFile(plan, planSize);
  if (!planCopy) return planCopy.status();
  Result<UniqueFd> opened = sys::openAt(abi::kAtFdCwd, "/dev/null", abi::kOpenReadWrite);
  if (!opened) return opened.status().on("/dev/null");
  Result<UniqueFd> nullDevice = aside(static_cast<UniqueFd&&>(opened.value()));
  if (!nullDevice) return nullDevice.status();
  StartedSupervisor supervisor;
  UniqueFd theirs;
  if (Status s = makeControl(supervisor.control, theirs); !s) return s;

  Start start;
  start.initImage = initImage;
  start.nullDevice = nullDevice.value().get();
  start.plan = planCopy.value().get();
  start.control = theirs.get();
  start.title = title;
  start.error = 0;
  start.syscall = "";
  Result<int> pid = runClone(start);
  if (!pid) return pid.status();
  supervisor.pid = pid.value();
  return static_cast<StartedSupervisor&&>(supervisor);
}

bool reapSupervisor(int pid) noexcept {
  Result<sys::ExitStatus> status = sys::reap(pid);
  // An error: it is no child of ours (any more), so there is nothing left to collect.
  return !status || status.value().pid == pid;
}

}  // namespace teu
