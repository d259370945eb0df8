// What runs between clone and execve, as a list of steps. Each file child_<what>.cc holds the steps
// of one area; the order is in child.cc. All of them use raw system calls only and report through
// LaunchReport.
#pragma once

#include "init/launch_report.h"
#include "init/private_procfs.h"
#include "init/root_handle.h"
#include "launch/plan.h"
#include "sys/memory.h"
#include "sys/text.h"
#include "sys/unique_fd.h"

namespace teu {

/// The ends that become the program's descriptors 0, 1 and 2. All unset with a terminal.
struct ChildStdio {
  UniqueFd input;
  UniqueFd output;
  UniqueFd error;
};

struct Child {
  const LaunchPlan& plan;
  LaunchReport& report;
  UniqueFd sync;  ///< to the supervisor: terminal master, hold
  ChildStdio stdio;
  PrivateProcfs procfs{};
};

/// Messages over Child::sync.
inline constexpr char kSyncTerminal = 'T';  ///< child to supervisor, with the master
inline constexpr char kSyncHeld = 'H';      ///< child to supervisor: everything is ready
inline constexpr char kSyncGo = 'G';        ///< supervisor to child: execute

/// A container: makes its world and becomes its first process. Exits 127 after a failure was
/// reported.
[[noreturn]] void runContainerChild(Child& child, UniqueFd&& target) noexcept;

/// An exec: joins the target's namespaces from outside its pid namespace, so that no process of the
/// container sees a half-entered helper, then makes the program's process as the supervisor's own
/// child and exits.
[[noreturn]] void runExecChild(Child& child, UniqueFd&& target) noexcept;

// --- child_namespaces.cc
Status joinCgroups(const LaunchPlan& plan) noexcept;
/// Joins what the plan names by path or by target (`target`: a pidfd, closed afterwards; unset if
/// there is none).
Status enterNamespaces(const LaunchPlan& plan, UniqueFd&& target) noexcept;
uint64_t cloneFlagOf(size_t namespaceIndex) noexcept;
/// CLONE_NEW* of all namespaces of that kind.
uint64_t namespaceFlags(const LaunchPlan& plan, NamespaceKind kind) noexcept;
Status setNames(const LaunchPlan& plan) noexcept;
Status writeSysctls(Child& child) noexcept;

// --- child_rootfs.cc
Result<RootHandle> mountRootfs(const RootfsPlan& rootfs) noexcept;
Status sealRootfs(const RootfsPlan& rootfs, const RootHandle& root) noexcept;
Status pivotInto(const RootHandle& root) noexcept;

// --- child_mounts.cc
/// tmpfs mounts that become read-only once everything on them (devices, links, mount points) has
/// been made.
class ReadonlyLater {
 public:
  Status add(UniqueFd&& mount) noexcept;
  Status apply() noexcept;

 private:
  static constexpr size_t kCapacity = 16;
  UniqueFd mounts_[kCapacity];
  size_t count_ = 0;
};
Status makeMounts(const LaunchPlan& plan, const RootHandle& root, ReadonlyLater& later) noexcept;

// --- child_devices.cc
Status makeDevices(const LaunchPlan& plan, const RootHandle& root) noexcept;
Status makeLinks(const LaunchPlan& plan, const RootHandle& root) noexcept;

// --- child_masks.cc
Status maskPaths(const LaunchPlan& plan, const RootHandle& root) noexcept;
Status protectPaths(const LaunchPlan& plan, const RootHandle& root) noexcept;

// --- child_terminal.cc
/// Opens a terminal on the container's devpts, sends its master to the supervisor and keeps the
/// peer as stdio.
Status openTerminal(Child& child, const RootHandle& root) noexcept;
/// Puts stdio on 0, 1 and 2, owned by the program's user.
Status installStdio(Child& child, uint32_t uid) noexcept;

// --- child_credentials.cc
struct ProgramUser {
  uint32_t uid = 0;
  uint32_t gid = 0;
  Span<const uint32_t> groups;
  Mapping memory;  ///< of `groups`, if it is not the plan's own list
};
Status setLimits(Child& child) noexcept;
Status enterDirectory(const ProcessPlan& process, const RootHandle& root, bool make) noexcept;
/// Ids, capabilities and filter, in the order that each needs the privileges of the one before.
Status dropPrivileges(const ProcessPlan& process, const ProgramUser& user) noexcept;

// --- child_user.cc
Result<ProgramUser> resolveUser(const UserPlan& user, const RootHandle& root) noexcept;

/// HOME as the root's /etc/passwd has it for a user, "/" if it tells nothing usable.
using HomeVariable = TextBuffer<256>;
void findHome(uint32_t uid, const RootHandle& root, HomeVariable& home) noexcept;

// --- child_exec.cc
/// Gives the program HOME, if its environment does not say what it is.
void addHome(const ProcessPlan& process, const HomeVariable& home) noexcept;
/// Returns only to tell why not.
Status executeProgram(const ProcessPlan& process) noexcept;

}  // namespace teu
