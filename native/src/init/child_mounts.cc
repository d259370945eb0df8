#include <linux/mount.h>

#include "init/child.h"
#include "sys/files.h"
#include "sys/mounts.h"

namespace teu {
namespace {

constexpr int kEnotdir = 20;
constexpr int kEinval = 22;
constexpr int kE2big = 7;
constexpr size_t kOptionCapacity = 1024;

constexpr uint64_t kAccessTimeFlags = abi::kMsNoAtime | abi::kMsStrictAtime | abi::kMsRelatime;

sys::MountAttributes attributesOf(uint32_t flags) noexcept {
  sys::MountAttributes attributes{.set = sys::mountAttributes(flags)};
  if (flags & kAccessTimeFlags) attributes.clear = MOUNT_ATTR__ATIME;
  return attributes;
}

bool isKernelFileSystem(const char* type) noexcept {
  return sameText(type, "proc") || sameText(type, "sysfs");
}

/// One `key=value` or `key` of the options.
Status applyOption(int fileSystem, TextView option) noexcept {
  TextBuffer<kOptionCapacity> key;
  TextBuffer<kOptionCapacity> value;
  size_t equals = 0;
  while (equals < option.size && option.data[equals] != '=') ++equals;
  key.add(TextView(option.data, equals));
  if (equals < option.size) {
    value.add(TextView(option.data + equals + 1, option.size - equals - 1));
  }
  if (key.overflowed() || value.overflowed()) return brokenRule(kE2big, "fsconfig");
  if (equals == option.size) return sys::setFlagOption(fileSystem, key.text());
  // cgroup v1 knows `name=`, but its own parser takes the option only as a string, like all others.
  return sys::setOption(fileSystem, key.text(), value.text());
}

Status applyOptions(int fileSystem, const char* data) noexcept {
  for (const char* at = data; *at != '\0';) {
    size_t size = 0;
    while (at[size] != '\0' && at[size] != ',') ++size;
    if (size > 0) {
      if (Status s = applyOption(fileSystem, TextView(at, size)); !s) return s;
    }
    at += size;
    if (*at == ',') ++at;
  }
  return {};
}

Result<UniqueFd> newFileSystem(const MountPlan& mount, uint32_t flags) noexcept {
  Result<UniqueFd> fileSystem = sys::openFileSystem(mount.type);
  if (!fileSystem) return fileSystem;
  const int fd = fileSystem.value().get();
  if (*mount.source != '\0') {
    if (Status s = sys::setOption(fd, "source", mount.source); !s) return s;
  }
  if (Status s = applyOptions(fd, mount.data); !s) return s;
  if (Status s = sys::createSuperblock(fd); !s) return s;
  return sys::mountSuperblock(fd, static_cast<unsigned>(sys::mountAttributes(flags)));
}

Result<UniqueFd> bindOf(const MountPlan& mount) noexcept {
  const bool recursive = (mount.flags & abi::kMsRecursive) != 0;
  Result<UniqueFd> tree = sys::cloneMount(abi::kAtFdCwd, mount.source, recursive);
  if (!tree) return tree.status().on(mount.source);
  const sys::MountAttributes attributes = attributesOf(mount.flags);
  if (attributes.set != 0 || attributes.clear != 0) {
    // With MS_REC the flags hold for all of the subtree: a read-only bind with a writable corner is
    // none.
    Status changed = sys::changeMount(tree.value().get(), attributes, recursive);
    if (!changed) return changed;
  }
  return tree;
}

Result<UniqueFd> targetOf(const MountPlan& mount, int tree, const RootHandle& root) noexcept {
  if (isKernelFileSystem(mount.type)) {
    // A link here would let an image choose where the kernel's own files appear.
    Result<UniqueFd> made = root.openOrMakeDirectory(mount.target);
    if (!made) return made;
    Result<UniqueFd> plain =
        root.openWithoutLinks(mount.target, abi::kOpenPath | abi::kOpenDirectory);
    if (!plain) return brokenRule(kEnotdir, "must be mounted on an ordinary directory");
    return plain;
  }
  Result<sys::FileInfo> source = sys::fileInfo(tree);
  if (!source) return source.status();
  return source.value().type() == abi::kModeDirectory ? root.openOrMakeDirectory(mount.target)
                                                      : root.openOrMakeFile(mount.target);
}

Status makeMount(const MountPlan& mount, const RootHandle& root, ReadonlyLater& later) noexcept {
  const bool isBind = (mount.flags & abi::kMsBind) != 0 || sameText(mount.type, "bind");
  const bool isTmpfs = !isBind && sameText(mount.type, "tmpfs");
  const bool readonlyLater = isTmpfs && (mount.flags & abi::kMsReadOnly) != 0;
  const uint32_t flags = readonlyLater ? mount.flags & ~uint32_t{abi::kMsReadOnly} : mount.flags;

  Result<UniqueFd> tree = isBind ? bindOf(mount) : newFileSystem(mount, flags);
  if (!tree) return tree.status();
  Result<UniqueFd> target = targetOf(mount, tree.value().get(), root);
  if (!target) return target.status();
  if (mount.propagation != 0) {
    const uint64_t type = mount.propagation & abi::kMsPropagation;
    const bool recursive = (mount.propagation & abi::kMsRecursive) != 0;
    Status changed = sys::changeMount(tree.value().get(), {.propagation = type}, recursive);
    if (!changed) return changed;
  }
  Status attached = root.attach(tree.value().get(), target.value().get(), mount.target);
  if (!attached || !readonlyLater) return attached;
  return later.add(static_cast<UniqueFd&&>(tree.value()));
}

}  // namespace

Status makeMounts(const LaunchPlan& plan, const RootHandle& root, ReadonlyLater& later) noexcept {
  for (const MountPlan& mount : plan.mounts) {
    if (Status s = makeMount(mount, root, later); !s) return s.on(mount.target);
  }
  return {};
}

Status ReadonlyLater::add(UniqueFd&& mount) noexcept {
  if (count_ == kCapacity) return brokenRule(kEinval, "read-only tmpfs mounts");
  mounts_[count_++] = static_cast<UniqueFd&&>(mount);
  return {};
}

Status ReadonlyLater::apply() noexcept {
  for (size_t index = 0; index < count_; ++index) {
    const int mount = mounts_[index].get();
    if (Status s = sys::changeMount(mount, {.set = MOUNT_ATTR_RDONLY}, false); !s) return s;
  }
  return {};
}

}  // namespace teu
