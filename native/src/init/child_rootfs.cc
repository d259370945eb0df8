#include <linux/mount.h>

#include "init/child.h"
#include "sys/files.h"
#include "sys/mount_data.h"
#include "sys/mounts.h"

namespace teu {
namespace {

constexpr int kE2big = 7;
constexpr int kPlace = abi::kOpenPath | abi::kOpenDirectory;

/// Where a mount goes: on top of what is mounted there, or on a directory in it. That lies in an
/// image, so no link in it may lead out of the root.
Result<UniqueFd> placeOf(const char* path, const char* target) noexcept {
  Result<UniqueFd> top = sys::openAt(abi::kAtFdCwd, path, kPlace);
  if (!top || *target == '\0') return top;
  return RootHandle(static_cast<UniqueFd&&>(top.value())).open(target, kPlace);
}

Status bindStorage(const MountPlan& mount, int place) noexcept {
  const bool recursive = (mount.flags & abi::kMsRecursive) != 0;
  Result<UniqueFd> tree = sys::cloneMount(abi::kAtFdCwd, mount.source, recursive);
  if (!tree) return tree.status();
  const uint64_t attributes = sys::mountAttributes(mount.flags);
  if (attributes != 0) {
    if (Status s = sys::changeMount(tree.value().get(), {.set = attributes}, false); !s) return s;
  }
  return sys::attachMount(tree.value().get(), place);
}

/// By mount(2) and not fsopen(2), whose texts are too short for a list of layers.
Status mountFileSystem(const MountPlan& mount, int place) noexcept {
  const MountData data(mount.data);
  if (data.options() == nullptr) return brokenRule(kE2big, "mount");
  if (*data.directory() == '\0') {
    if (Status s = sys::changeDirectory(place); !s) return s;
    return sys::mountPath(mount.source, ".", mount.type, mount.flags, data.options());
  }
  TextBuffer<32> target;
  target.add("/proc/self/fd/").add(static_cast<uint64_t>(place));
  if (Status s = statusOf(sys::call(__NR_chdir, data.directory()), "chdir"); !s) return s;
  return sys::mountPath(mount.source, target.text(), mount.type, mount.flags, data.options());
}

/// A mount as a storage driver returned it: host paths, out of every container's reach.
Status mountStorage(const MountPlan& mount, const char* path) noexcept {
  Result<UniqueFd> place = placeOf(path, mount.target);
  if (!place) return place.status().on(mount.target);
  if ((mount.flags & abi::kMsBind) != 0) {
    return bindStorage(mount, place.value().get()).on(mount.source);
  }
  return mountFileSystem(mount, place.value().get()).on(mount.source);
}

/// The root is made read-only at the end; what a driver mounts in it has to be at once.
Status makeReadonly(const MountPlan& mount, const char* path) noexcept {
  Result<UniqueFd> mounted = placeOf(path, mount.target);
  if (!mounted) return mounted.status().on(mount.target);
  return sys::changeMount(mounted.value().get(), {.set = MOUNT_ATTR_RDONLY}, false)
      .on(mount.target);
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
    if (!rootfs.readonly || *mount.target == '\0') continue;
    if (Status s = makeReadonly(mount, rootfs.path); !s) return s;
  }
  Result<UniqueFd> root = sys::openAt(abi::kAtFdCwd, rootfs.path, kPlace);
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
