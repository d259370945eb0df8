#include <linux/mount.h>

#include "init/child.h"
#include "sys/files.h"
#include "sys/mounts.h"

namespace teu {
namespace {

constexpr int kEnoent = 2;
constexpr int kEinval = 22;
constexpr unsigned kNullMajor = 1;
constexpr unsigned kNullMinor = 3;

/// The host's own null device, never the container's: that one may be a link to a file worth
/// writing.
Result<UniqueFd> openNullDevice() noexcept {
  Result<UniqueFd> node =
      sys::openAt(abi::kAtFdCwd, "/dev/null", abi::kOpenPath | abi::kOpenNoFollow);
  if (!node) return node;
  Result<sys::FileInfo> file = sys::fileInfo(node.value().get());
  if (!file) return file.status();
  const sys::FileInfo& info = file.value();
  if (info.type() != abi::kModeCharacter || info.deviceMajor != kNullMajor ||
      info.deviceMinor != kNullMinor) {
    return brokenRule(kEinval, "/dev/null of the host is invalid");
  }
  return node;
}

/// An empty read-only directory that takes one block and one inode.
Result<UniqueFd> makeEmptyDirectory() noexcept {
  Result<UniqueFd> fileSystem = sys::openFileSystem("tmpfs");
  if (!fileSystem) return fileSystem;
  const int fd = fileSystem.value().get();
  if (Status s = sys::setOption(fd, "nr_blocks", "1"); !s) return s;
  if (Status s = sys::setOption(fd, "nr_inodes", "1"); !s) return s;
  if (Status s = sys::setOption(fd, "mode", "755"); !s) return s;
  if (Status s = sys::createSuperblock(fd); !s) return s;
  constexpr unsigned kLocked =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  return sys::mountSuperblock(fd, kLocked);
}

/// Covers files with the null device and directories with one empty directory that they share.
class Masks {
 public:
  Status cover(const char* path, const RootHandle& root) noexcept {
    Result<UniqueFd> target = root.open(path, abi::kOpenPath);
    if (!target && target.error().number == kEnoent) return {};
    if (!target) return target.status();
    Result<sys::FileInfo> file = sys::fileInfo(target.value().get());
    if (!file) return file.status();
    Result<UniqueFd> mask =
        file.value().type() == abi::kModeDirectory ? emptyDirectory() : nullDevice();
    if (!mask) return mask.status();
    const int attached = mask.value().get();
    Status status = root.attach(attached, target.value().get(), path);
    // A copy can only be taken of an attached mount, so the first one is kept to copy from.
    if (status && file.value().type() == abi::kModeDirectory && !directory_) {
      directory_ = static_cast<UniqueFd&&>(mask.value());
    }
    return status;
  }

 private:
  Result<UniqueFd> nullDevice() noexcept {
    if (!null_) {
      Result<UniqueFd> opened = openNullDevice();
      if (!opened) return opened;
      null_ = static_cast<UniqueFd&&>(opened.value());
    }
    return sys::cloneMount(null_.get(), "", false);
  }

  Result<UniqueFd> emptyDirectory() noexcept {
    return directory_ ? sys::cloneMount(directory_.get(), "", false) : makeEmptyDirectory();
  }

  UniqueFd null_;
  UniqueFd directory_;
};

}  // namespace

Status maskPaths(const LaunchPlan& plan, const RootHandle& root) noexcept {
  Masks masks;
  for (const char* path : plan.maskedPaths) {
    if (Status s = masks.cover(path, root); !s) return s.on(path);
  }
  return {};
}

Status protectPaths(const LaunchPlan& plan, const RootHandle& root) noexcept {
  for (const char* path : plan.readonlyPaths) {
    Result<UniqueFd> target = root.open(path, abi::kOpenPath);
    if (!target && target.error().number == kEnoent) continue;
    if (!target) return target.status().on(path);
    Result<UniqueFd> tree = sys::cloneMount(target.value().get(), "", true);
    if (!tree) return tree.status().on(path);
    Status locked = sys::changeMount(tree.value().get(), {.set = MOUNT_ATTR_RDONLY}, true);
    if (!locked) return locked.on(path);
    Status attached = root.attach(tree.value().get(), target.value().get(), path);
    if (!attached) return attached.on(path);
  }
  return {};
}

}  // namespace teu
