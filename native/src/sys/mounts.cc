#include "sys/mounts.h"

#include <linux/mount.h>

#include "sys/kernel_abi.h"

namespace teu::sys {

Status mountPath(const char* source, const char* target, const char* type, unsigned long flags,
                 const char* data) noexcept {
  return statusOf(call(__NR_mount, source, target, type, flags, data), "mount");
}

Status detachMount(const char* target) noexcept {
  return statusOf(call(__NR_umount2, target, abi::kMntDetach), "umount2");
}

Status pivotRoot(const char* newRoot, const char* putOld) noexcept {
  return statusOf(call(__NR_pivot_root, newRoot, putOld), "pivot_root");
}

Result<UniqueFd> openFileSystem(const char* type) noexcept {
  return fdOf(call(__NR_fsopen, type, FSOPEN_CLOEXEC), "fsopen");
}

Status setOption(int fileSystem, const char* key, const char* value) noexcept {
  return statusOf(call(__NR_fsconfig, fileSystem, FSCONFIG_SET_STRING, key, value, 0), "fsconfig");
}

Status setFlagOption(int fileSystem, const char* key) noexcept {
  const char* none = nullptr;
  return statusOf(call(__NR_fsconfig, fileSystem, FSCONFIG_SET_FLAG, key, none, 0), "fsconfig");
}

Status createSuperblock(int fileSystem) noexcept {
  const char* none = nullptr;
  return statusOf(call(__NR_fsconfig, fileSystem, FSCONFIG_CMD_CREATE, none, none, 0), "fsconfig");
}

Result<UniqueFd> mountSuperblock(int fileSystem, unsigned attributes) noexcept {
  return fdOf(call(__NR_fsmount, fileSystem, FSMOUNT_CLOEXEC, attributes), "fsmount");
}

Result<UniqueFd> cloneMount(int directory, const char* path, bool recursive) noexcept {
  const unsigned flags = OPEN_TREE_CLONE | static_cast<unsigned>(abi::kOpenCloseOnExec) |
                         abi::kAtEmptyPath |
                         (recursive ? static_cast<unsigned>(abi::kAtRecursive) : 0U);
  return fdOf(call(__NR_open_tree, directory, path, flags), "open_tree");
}

Status attachMount(int mount, int target) noexcept {
  constexpr unsigned kFlags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  return statusOf(call(__NR_move_mount, mount, "", target, "", kFlags), "move_mount");
}

Status changeMount(int mount, const MountAttributes& attributes, bool recursive) noexcept {
  const mount_attr raw{.attr_set = attributes.set,
                       .attr_clr = attributes.clear,
                       .propagation = attributes.propagation,
                       .userns_fd = 0};
  const int flags = abi::kAtEmptyPath | (recursive ? abi::kAtRecursive : 0);
  return statusOf(call(__NR_mount_setattr, mount, "", flags, &raw, sizeof raw), "mount_setattr");
}

uint64_t mountAttributes(unsigned flags) noexcept {
  uint64_t attributes = 0;
  if (flags & abi::kMsReadOnly) attributes |= MOUNT_ATTR_RDONLY;
  if (flags & abi::kMsNoSuid) attributes |= MOUNT_ATTR_NOSUID;
  if (flags & abi::kMsNoDev) attributes |= MOUNT_ATTR_NODEV;
  if (flags & abi::kMsNoExec) attributes |= MOUNT_ATTR_NOEXEC;
  if (flags & abi::kMsNoDirAtime) attributes |= MOUNT_ATTR_NODIRATIME;
  if (flags & abi::kMsNoSymFollow) attributes |= MOUNT_ATTR_NOSYMFOLLOW;
  if (flags & abi::kMsNoAtime) {
    attributes |= MOUNT_ATTR_NOATIME;
  } else if (flags & abi::kMsStrictAtime) {
    attributes |= MOUNT_ATTR_STRICTATIME;
  }
  return attributes;
}

}  // namespace teu::sys
