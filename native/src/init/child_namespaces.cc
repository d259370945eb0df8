#include <linux/sched.h>

#include "init/child.h"
#include "launch/steps.h"
#include "sys/files.h"
#include "sys/processes.h"

namespace teu {
namespace {

constexpr int kEinval = 22;
constexpr size_t kSysctlPathCapacity = 256;

constexpr uint64_t kCloneFlags[kNamespaceCount] = {CLONE_NEWUSER,   CLONE_NEWPID, CLONE_NEWNS,
                                                   CLONE_NEWUTS,    CLONE_NEWIPC, CLONE_NEWNET,
                                                   CLONE_NEWCGROUP, CLONE_NEWTIME};

/// `net.ipv4.ip_forward` and `net/ipv4/ip_forward` name the same file. As in sysctl(8), the first
/// separator found tells which of the two is in use, so that names with dots (interfaces) can be
/// written with slashes.
Result<TextBuffer<kSysctlPathCapacity>> sysctlPath(const char* key) noexcept {
  TextBuffer<kSysctlPathCapacity> path;
  path.add("sys/");
  char separator = '\0';
  for (const char* at = key; *at != '\0'; ++at) {
    if (separator == '\0' && (*at == '.' || *at == '/')) separator = *at;
    const bool isDot = *at == '.';
    const bool isSlash = *at == '/';
    const char shown = separator == '.' ? (isDot ? '/' : isSlash ? '.' : *at) : *at;
    path.add(TextView(&shown, 1));
  }
  if (*key == '\0' || path.overflowed()) return brokenRule(kEinval, "sysctl").on(key);
  return static_cast<TextBuffer<kSysctlPathCapacity>&&>(path);
}

}  // namespace

uint64_t cloneFlagOf(size_t namespaceIndex) noexcept {
  return kCloneFlags[namespaceIndex];
}

uint64_t namespaceFlags(const LaunchPlan& plan, NamespaceKind kind) noexcept {
  uint64_t flags = 0;
  for (size_t index = 0; index < kNamespaceCount; ++index) {
    if (plan.namespaces[index].kind == kind) flags |= kCloneFlags[index];
  }
  return flags;
}

Status joinCgroups(const LaunchPlan& plan) noexcept {
  for (const char* path : plan.cgroupTasksFiles) {
    // A thread that moves itself by writing 0 to `tasks` skips the kernel's global lock and its RCU
    // grace period.
    Result<UniqueFd> tasks = sys::openAt(abi::kAtFdCwd, path, abi::kOpenWriteOnly);
    if (!tasks) return tasks.status().on(path);
    if (Status s = sys::writeAll(tasks.value().get(), "0", 1); !s) return s.on(path);
  }
  if (plan.namespaces[kCgroupNamespace].kind == NamespaceKind::kNew) {
    return sys::unshareNamespaces(CLONE_NEWCGROUP);
  }
  return {};
}

Status enterNamespaces(const LaunchPlan& plan, UniqueFd&& target) noexcept {
  const UniqueFd pidfd = static_cast<UniqueFd&&>(target);
  for (size_t index = 0; index < kNamespaceCount; ++index) {
    const NamespacePlan& one = plan.namespaces[index];
    // A container's pid namespace is the supervisor's business: it only takes effect for children.
    if (one.kind != NamespaceKind::kPath || index == kPidNamespace) continue;
    Result<UniqueFd> file = sys::openAt(abi::kAtFdCwd, one.path, abi::kOpenReadOnly);
    if (!file) return file.status().on(one.path);
    if (Status s = sys::setNamespace(file.value().get(), kCloneFlags[index]); !s) {
      return s.on(one.path);
    }
  }
  uint64_t joined = namespaceFlags(plan, NamespaceKind::kTarget);
  if (!plan.joinsMounts()) joined &= ~static_cast<uint64_t>(CLONE_NEWPID);
  return joined == 0 ? Status{} : sys::setNamespace(pidfd.get(), joined);
}

Status setNames(const LaunchPlan& plan) noexcept {
  if (plan.hostname != nullptr) {
    const size_t length = textLength(plan.hostname);
    if (Status s = sys::setHostName(plan.hostname, length); !s) return s.on(plan.hostname);
  }
  if (plan.domainname != nullptr) {
    const size_t length = textLength(plan.domainname);
    if (Status s = sys::setDomainName(plan.domainname, length); !s) return s.on(plan.domainname);
  }
  return {};
}

Status writeSysctls(Child& child) noexcept {
  for (const SysctlPlan& entry : child.plan.sysctl) {
    Result<TextBuffer<kSysctlPathCapacity>> path = sysctlPath(entry.key);
    if (!path) return path.status();
    const Status written = child.procfs.write(path.value().text(), entry.value);
    // The key, not the path: its buffer ends with this scope.
    if (!written) {
      return SysError{
          .number = written.error().number, .syscall = written.error().syscall, .path = entry.key};
    }
  }
  return {};
}

}  // namespace teu
