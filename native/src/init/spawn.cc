#include "init/spawn.h"

#include <linux/sched.h>

#include "init/child.h"
#include "init/state_directory.h"
#include "launch/steps.h"
#include "sys/files.h"
#include "sys/processes.h"
#include "sys/sockets.h"

namespace teu {
namespace {

constexpr int kEnoent = 2;
constexpr int kEnosys = 38;
constexpr int kEsrch = 3;
constexpr int kEcanceled = 125;
constexpr int kSigChld = 17;
constexpr int kKeptFdsFrom = 100;
constexpr unsigned kFirstInheritedFd = 3;
constexpr int64_t kNsPerSecond = 1'000'000'000;

/// What the child keeps of the supervisor's descriptors.
struct ChildEnds {
  UniqueFd sync;
  ChildStdio stdio;
};

Status makeStdio(const ProcessPlan& process, SpawnedProgram& ours, ChildStdio& theirs) noexcept {
  if (process.terminal.present) return {};
  if (Status s = sys::makePipe(ours.output, theirs.output); !s) return s;
  if (Status s = sys::makePipe(ours.error, theirs.error); !s) return s;
  if (Status s = sys::setNonBlocking(ours.output.get()); !s) return s;
  if (Status s = sys::setNonBlocking(ours.error.get()); !s) return s;
  if (process.stdinKind == StdinKind::kNull) return {};
  if (Status s = sys::makePipe(theirs.input, ours.input); !s) return s;
  return sys::setNonBlocking(ours.input.get());
}

/// Opens the target and makes sure that it is still the process that the plan means.
Result<UniqueFd> openTarget(const TargetProcess& target) noexcept {
  const int pid = static_cast<int>(target.pid);
  Result<UniqueFd> pidfd = sys::openPidfd(pid);
  if (!pidfd) return pidfd;
  Result<uint64_t> startTicks = readStartTicks(pid);
  if (!startTicks) return startTicks.status();
  if (startTicks.value() != target.startTicks) {
    return brokenRule(kEsrch, "another process has the target's pid");
  }
  return pidfd;
}

/// Has effect on children only, which is why it happens here.
Status enterPidNamespace(const NamespacePlan& plan, int target) noexcept {
  if (plan.kind == NamespaceKind::kTarget) return sys::setNamespace(target, CLONE_NEWPID);
  if (plan.kind != NamespaceKind::kPath) return {};
  Result<UniqueFd> file = sys::openAt(abi::kAtFdCwd, plan.path, abi::kOpenReadOnly);
  if (!file) return file.status().on(plan.path);
  return sys::setNamespace(file.value().get(), CLONE_NEWPID).on(plan.path);
}

void addOffset(TextBuffer<128>& text, const char* clock, int64_t offset) noexcept {
  int64_t seconds = offset / kNsPerSecond;
  int64_t rest = offset % kNsPerSecond;
  if (rest < 0) {
    rest += kNsPerSecond;
    --seconds;
  }
  text.add(clock).add(" ").addSigned(seconds).add(" ").addSigned(rest).add("\n");
}

/// Offsets can only be set before anyone is in the namespace (time_namespaces(7)), so it is made
/// ahead of the child.
Status makeTimeNamespace(const TimeOffsets& offsets) noexcept {
  if (Status s = sys::unshareNamespaces(CLONE_NEWTIME); !s) return s;
  TextBuffer<128> text;
  addOffset(text, "monotonic", offsets.monotonicNs);
  addOffset(text, "boottime", offsets.boottimeNs);
  constexpr const char* kPath = "/proc/self/timens_offsets";
  Result<UniqueFd> file = sys::openAt(abi::kAtFdCwd, kPath, abi::kOpenWriteOnly);
  if (!file) return file.status().on(kPath);
  return sys::writeAll(file.value().get(), text.text(), text.length()).on(kPath);
}

/// In the child: moves what it keeps out of the way and closes all else of the supervisor's.
Status shedDescriptors(UniqueFd* const* kept, size_t count) noexcept {
  for (size_t index = 0; index < count; ++index) {
    UniqueFd& fd = *kept[index];
    if (!fd) continue;
    Result<UniqueFd> moved = sys::duplicateAbove(fd.get(), kKeptFdsFrom);
    if (!moved) return moved.status();
    fd = static_cast<UniqueFd&&>(moved.value());
  }
  return sys::closeRange(kFirstInheritedFd, kKeptFdsFrom - 1, false);
}

[[noreturn]] void becomeChild(const LaunchPlan& plan, LaunchReport& report, ChildEnds& ends,
                              UniqueFd& target) noexcept {
  UniqueFd* const kept[] = {&ends.sync, &ends.stdio.input, &ends.stdio.output, &ends.stdio.error,
                            &target};
  const Status shed = shedDescriptors(kept, sizeof kept / sizeof kept[0]);
  if (!shed) {
    report.fail(shed.during(step::kClone).error());
    sys::exitProcess(1);
  }
  Child child{.plan = plan,
              .report = report,
              .sync = static_cast<UniqueFd&&>(ends.sync),
              .stdio = static_cast<ChildStdio&&>(ends.stdio)};
  if (plan.joinsMounts()) runExecChild(child, static_cast<UniqueFd&&>(target));
  runContainerChild(child, static_cast<UniqueFd&&>(target));
}

Result<UniqueFd> openMountNamespace(int pid, int pidfd) noexcept {
  Result<UniqueFd> direct =
      fdOf(sys::call(__NR_ioctl, pidfd, abi::kPidfdGetMountNamespace, 0), "ioctl");
  if (direct) return direct;
  TextBuffer<64> path;
  path.add("/proc/").add(static_cast<uint64_t>(pid)).add("/ns/mnt");
  return sys::openAt(abi::kAtFdCwd, path.text(), abi::kOpenReadOnly);
}

/// What the namespaces of a process that is a zombie by now answer.
bool hasEnded(int error) noexcept {
  return error == kEnoent || error == kEsrch;
}

/// Waits for the intermediate process of an exec, which leaves the program behind as our own child.
Status adoptProgram(LaunchReport& report, SpawnedProgram& program) noexcept {
  if (Status s = sys::waitFor(program.pid); !s) return s;
  if (report.failed) return report.error();
  if (report.processPid == 0) return brokenRule(kEcanceled, "intermediate process");
  program.pid = report.processPid;
  Result<UniqueFd> pidfd = sys::openPidfd(program.pid);
  if (!pidfd) return pidfd.status();
  program.pidfd = static_cast<UniqueFd&&>(pidfd.value());
  return {};
}

Status prepareNamespaces(const LaunchPlan& plan, const UniqueFd& target) noexcept {
  if (plan.namespaces[kUserNamespace].kind == NamespaceKind::kNew) {
    return brokenRule(kEnosys, "new user namespace");
  }
  if (plan.timeOffsets.present) {
    if (Status s = makeTimeNamespace(plan.timeOffsets); !s) return s;
  }
  if (plan.joinsMounts()) return {};
  return enterPidNamespace(plan.namespaces[kPidNamespace], target.get());
}

uint64_t cloneFlags(const LaunchPlan& plan) noexcept {
  uint64_t flags = namespaceFlags(plan, NamespaceKind::kNew) | CLONE_CLEAR_SIGHAND;
  // Only after the child has joined its cgroups, or it would see itself below the new root.
  flags &= ~static_cast<uint64_t>(CLONE_NEWCGROUP);
  if (plan.timeOffsets.present) flags &= ~static_cast<uint64_t>(CLONE_NEWTIME);
  return flags;
}

}  // namespace

Status spawnProgram(const LaunchPlan& plan, LaunchReport& report,
                    SpawnedProgram& program) noexcept {
  ChildEnds ends;
  if (Status s = sys::makeMessagePair(program.sync, ends.sync); !s) return s;
  if (Status s = makeStdio(plan.process, program, ends.stdio); !s) return s.during(step::kStdio);
  UniqueFd target;
  if (plan.target.present) {
    Result<UniqueFd> opened = openTarget(plan.target);
    if (!opened) return opened.status().during(step::kNamespaces);
    target = static_cast<UniqueFd&&>(opened.value());
  }
  if (Status s = prepareNamespaces(plan, target); !s) return s.during(step::kNamespaces);
  UniqueFd cgroup;
  if (plan.cgroupDirectory != nullptr) {
    constexpr int kFlags = abi::kOpenPath | abi::kOpenDirectory;
    Result<UniqueFd> opened = sys::openAt(abi::kAtFdCwd, plan.cgroupDirectory, kFlags);
    if (!opened) return opened.status().on(plan.cgroupDirectory).during(step::kCgroup);
    cgroup = static_cast<UniqueFd&&>(opened.value());
  }

  int pidfd = -1;
  Result<int> pid = sys::cloneProcess(
      {.flags = cloneFlags(plan), .exitSignal = kSigChld, .cgroup = cgroup.get(), .pidfd = &pidfd});
  if (!pid) return pid.status();
  if (pid.value() == 0) becomeChild(plan, report, ends, target);
  program.pid = pid.value();
  program.pidfd.reset(pidfd);
  endPhase(report.phases.clone);
  if (plan.joinsMounts()) return adoptProgram(report, program);
  Result<UniqueFd> mounts = openMountNamespace(program.pid, pidfd);
  if (mounts) program.mountNamespace = static_cast<UniqueFd&&>(mounts.value());
  // A short program may have ended by now, and its mounts with it: then there is nothing to hold.
  if (!mounts && hasEnded(mounts.error().number)) return {};
  return mounts.status();
}

}  // namespace teu
