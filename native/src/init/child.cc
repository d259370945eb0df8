#include "init/child.h"

#include <linux/prctl.h>
#include <linux/sched.h>

#include "init/loaded_plan.h"
#include "init/network.h"
#include "launch/steps.h"
#include "sys/processes.h"
#include "sys/sockets.h"

namespace teu {
namespace {

constexpr int kSetUpFailed = 127;
constexpr int kSigKill = 9;
constexpr int kEinval = 22;
constexpr int kSigChld = 17;
constexpr int kEcanceled = 125;
constexpr unsigned kDefaultUmask = 022;
constexpr unsigned kFirstPrivateFd = 3;

[[noreturn]] void giveUp(Child& child, const Status& failure) noexcept {
  child.report.fail(failure.error());
  sys::exitProcess(kSetUpFailed);
}

Status makeWorld(Child& child, const RootHandle& root) noexcept {
  const LaunchPlan& plan = child.plan;
  ReadonlyLater readonlyLater;
  if (Status s = makeMounts(plan, root, readonlyLater); !s) return s.during(step::kMounts);
  if (Status s = makeDevices(plan, root); !s) return s.during(step::kDevices);
  if (Status s = makeLinks(plan, root); !s) return s.during(step::kLinks);
  if (Status s = readonlyLater.apply(); !s) return s.during(step::kMounts);
  endPhase(child.report.phases.mounts);
  if (Status s = maskPaths(plan, root); !s) return s.during(step::kMaskedPaths);
  if (Status s = protectPaths(plan, root); !s) return s.during(step::kReadonlyPaths);
  endPhase(child.report.phases.masks);
  return {};
}

/// Tells the supervisor that all is ready and waits for its word, and for what comes with it.
Result<UniqueFd> waitForStart(Child& child) noexcept {
  if (Status s = sys::sendMessage(child.sync.get(), kSyncHeld, -1); !s) return s;
  Result<sys::ReceivedMessage> word = sys::receiveMessage(child.sync.get());
  if (!word) return word.status();
  if (word.value().message != kSyncGo) return brokenRule(kEcanceled, "start");
  return static_cast<UniqueFd&&>(word.value().fd);
}

/// The part that containers and execs have in common: from a ready root to the program.
Status becomeProgram(Child& child, const RootHandle& root) noexcept {
  const ProcessPlan& process = child.plan.process;
  Result<ProgramUser> user = resolveUser(process.user, root);
  if (!user) return user.status().during(step::kUser);
  HomeVariable home;
  findHome(user.value().uid, root, home);
  if (process.terminal.present) {
    if (Status s = openTerminal(child, root); !s) return s.during(step::kTerminal);
  }
  if (Status s = sealRootfs(child.plan.rootfs, root); !s) return s.during(step::kRootfs);
  if (!child.plan.joinsMounts()) {
    if (Status s = pivotInto(root); !s) return s.during(step::kPivot);
  }
  if (Status s = writeSysctls(child); !s) return s.during(step::kSysctl);
  if (Status s = setNames(child.plan); !s) return s.during(step::kHostname);
  if (Status s = setLimits(child); !s) return s;
  if (child.plan.namespaces[kNetworkNamespace].kind == NamespaceKind::kNew) {
    awaitNetwork(child.report);
  }
  endPhase(child.report.phases.pivot);

  if (child.plan.hold) {
    if (Result<UniqueFd> word = waitForStart(child); !word) {
      return word.status().during(step::kExec);
    }
  }
  if (Status s = installStdio(child, user.value().uid); !s) return s.during(step::kStdio);
  if (Status s = enterDirectory(process, root, !child.plan.joinsMounts()); !s) {
    return s.during(step::kCwd);
  }
  sys::setFileModeMask(process.hasUmask ? process.umask : kDefaultUmask);
  // Before the filter, which need not allow it; nothing is opened after this.
  if (Status s = sys::closeRange(kFirstPrivateFd, sys::kHighestFd, true); !s)
    return s.during(step::kStdio);
  if (Status s = sys::blockSignals(false); !s) return s.during(step::kExec);
  if (Status s = dropPrivileges(process, user.value()); !s) return s;
  endPhase(child.report.phases.seccomp);
  addHome(process, home);
  child.report.executing = true;
  return executeProgram(process).during(step::kExec);
}

/// The container must not outlive the only process that can tell how it ended.
Status dieWithSupervisor() noexcept {
  return sys::processControl(PR_SET_PDEATHSIG, kSigKill);
}

/// A world made in advance learns only now what is to run in it.
Status runPlannedProgram(Child& child, const RootHandle& root) noexcept {
  Result<UniqueFd> file = waitForStart(child);
  if (!file) return file.status().during(step::kPlan);
  LoadedPlan loaded;
  if (Status s = loadPlan(static_cast<UniqueFd&&>(file.value()), loaded); !s) {
    return s.during(step::kPlan);
  }
  const ProcessPlan& process = loaded.plan.process;
  if (process.terminal.present || process.stdinKind != StdinKind::kNull) {
    return brokenRule(kEinval, "a world made in advance has no input").during(step::kPlan);
  }
  Child program{.plan = loaded.plan,
                .report = child.report,
                .sync = static_cast<UniqueFd&&>(child.sync),
                .stdio = static_cast<ChildStdio&&>(child.stdio),
                .procfs = static_cast<PrivateProcfs&&>(child.procfs)};
  // Here, because the end of its line to the supervisor must not come before its failure.
  giveUp(program, becomeProgram(program, root));
}

Status runContainer(Child& child, UniqueFd&& target) noexcept {
  const LaunchPlan& plan = child.plan;
  sys::setFileModeMask(0);
  if (Status s = sys::newSession(); !s) return s.during(step::kNamespaces);
  if (Status s = dieWithSupervisor(); !s) return s.during(step::kNamespaces);
  // Before the cgroups: mount(2) opens the disk of a file system, which the rules for the devices
  // of the container would forbid (EPERM).
  Result<RootHandle> root = mountRootfs(plan.rootfs);
  if (!root) return root.status().during(step::kRootfs);
  endPhase(child.report.phases.rootfs);
  if (Status s = joinCgroups(plan); !s) return s.during(step::kCgroup);
  if (Status s = enterNamespaces(plan, static_cast<UniqueFd&&>(target)); !s) {
    return s.during(step::kNamespaces);
  }
  endPhase(child.report.phases.joined);
  if (Status s = makeWorld(child, root.value()); !s) return s;
  if (plan.holdWorld) return runPlannedProgram(child, root.value());
  return becomeProgram(child, root.value());
}

Status runExecProgram(Child& child) noexcept {
  if (Status s = sys::newSession(); !s) return s.during(step::kNamespaces);
  if (Status s = dieWithSupervisor(); !s) return s.during(step::kNamespaces);
  Result<UniqueFd> top = sys::openAt(abi::kAtFdCwd, "/", abi::kOpenPath | abi::kOpenDirectory);
  if (!top) return top.status().during(step::kRootfs);
  RootHandle root(static_cast<UniqueFd&&>(top.value()));
  return becomeProgram(child, root);
}

}  // namespace

void runContainerChild(Child& child, UniqueFd&& target) noexcept {
  giveUp(child, runContainer(child, static_cast<UniqueFd&&>(target)));
}

void runExecChild(Child& child, UniqueFd&& target) noexcept {
  const LaunchPlan& plan = child.plan;
  if (Status s = joinCgroups(plan); !s) giveUp(child, s.during(step::kCgroup));
  if (Status s = enterNamespaces(plan, static_cast<UniqueFd&&>(target)); !s) {
    giveUp(child, s.during(step::kNamespaces));
  }
  endPhase(child.report.phases.joined);
  // With CLONE_PARENT the exit signal is taken over from this process; naming one is EINVAL.
  Result<int> program =
      sys::cloneProcess({.flags = CLONE_PARENT | CLONE_CLEAR_SIGHAND, .exitSignal = 0});
  if (!program) giveUp(child, program.status().during(step::kClone));
  if (program.value() == 0) giveUp(child, runExecProgram(child));
  child.report.processPid = program.value();
  sys::exitProcess(0);
}

}  // namespace teu
