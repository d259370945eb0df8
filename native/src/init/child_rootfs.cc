#include <linux/mount.h>

#include "init/child.h"
#include "sys/files.h"
#include "sys/mounts.h"

namespace teu {
namespace {

constexpr uint32_t kPerMountFlags = abi::kMsReadOnly | abi::kMsNoSuid | abi::kMsNoDev |
                                    abi::kMsNoExec | abi::kMsNoAtime | abi::kMsNoDirAtime;

/// A mount as a storage driver returned it: host paths, out of every container's reach.
Status mountStorage(const MountPlan& mount, const char* path) noexcept {
  TextBuffer<4096> target;
  target.add(path);
  if (*mount.target != '\0') target.add("/").add(mount.target);
  constexpr int kEnametoolong = 36;
  if (target.overflowed()) return brokenRule(kEnametoolong, "mount").on(mount.target);
  if ((mount.flags & abi::kMsBind) == 0) {
    return sys::mountPath(mount.source, target.text(), mount.type, mount.flags, mount.data)
        .on(mount.source);
  }
  const unsigned long bindFlags = mount.flags & (abi::kMsBind | abi::kMsRecursive);
  Status bound = sys::mountPath(mount.source, target.text(), nullptr, bindFlags, nullptr);
  if (!bound || (mount.flags & kPerMountFlags) == 0) return bound.on(mount.source);
  // A bind takes its flags in a second step.
  Result<UniqueFd> mounted =
      sys::openAt(abi::kAtFdCwd, target.text(), abi::kOpenPath | abi::kOpenDirectory);
  if (!mounted) return mounted.status().on(mount.source);
  return sys::changeMount(mounted.value().get(), {.set = sys::mountAttributes(mount.flags)}, false)
      .on(mount.source);
}

}  // namespace

Result<RootHandle> mountRootfs(const RootfsPlan& rootfs) noexcept {
  // Nothing that we mount may reach the host; with the default, what the host mounts still reaches
  // binds.
  const unsigned long propagation = rootfs.propagation & ~uint32_t{abi::kMsShared};
  const unsigned long outward =
      propagation == 0 ? abi::kMsSlave | abi::kMsRecursive : propagation | abi::kMsRecursive;
  if (Status s = sys::mountPath(nullptr, "/", nullptr, outward, nullptr); !s) return s.on("/");
  if (rootfs.mounts.size == 0) {
    const unsigned long bind = abi::kMsBind | abi::kMsRecursive;
    Status bound = sys::mountPath(rootfs.path, rootfs.path, nullptr, bind, nullptr);
    if (!bound) return bound.on(rootfs.path);
  }
  for (const MountPlan& mount : rootfs.mounts) {
    if (Status s = mountStorage(mount, rootfs.path); !s) return s;
  }
  Result<UniqueFd> root =
      sys::openAt(abi::kAtFdCwd, rootfs.path, abi::kOpenPath | abi::kOpenDirectory);
  if (!root) return root.status().on(rootfs.path);
  return RootHandle(static_cast<UniqueFd&&>(root.value()));
}

Status sealRootfs(const RootfsPlan& rootfs, const RootHandle& root) noexcept {
  if (!rootfs.present) return {};
  if (rootfs.readonly) {
    if (Status s = sys::changeMount(root.get(), {.set = MOUNT_ATTR_RDONLY}, false); !s) {
      return s.on("/");
    }
  }
  if (rootfs.propagation == 0) return {};
  const bool recursive = (rootfs.propagation & abi::kMsRecursive) != 0;
  const uint64_t type = rootfs.propagation & abi::kMsPropagation;
  return sys::changeMount(root.get(), {.propagation = type}, recursive).on("/");
}

Status pivotInto(const RootHandle& root) noexcept {
  // pivot_root(2), NOTES: with both arguments "." the old root ends up stacked on the new one and
  // needs no directory.
  if (Status s = sys::changeDirectory(root.get()); !s) return s;
  if (Status s = sys::pivotRoot(".", "."); !s) return s;
  if (Status s = sys::detachMount("."); !s) return s;
  return statusOf(sys::call(__NR_chdir, "/"), "chdir");
}

}  // namespace teu
