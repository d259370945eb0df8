#include "btrfs/subvolumes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "btrfs/ioctl.h"
#include "btrfs/tree_search.h"
#include "sys/files.h"

namespace teu::btrfs {
namespace {

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// Freeing starts at once and takes as long as there is data; nobody looks more often than needed.
constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{200};

void setName(btrfs_ioctl_vol_args_v2& arguments, const std::string& leaf) {
  // SubvolumeName is shorter than the field, which is all zeros.
  leaf.copy(arguments.name, sizeof arguments.name - 1);
}

/// Handle of the root directory of a subvolume, as fs/btrfs/export.h defines it: it leads there by
/// id, whatever a container has done to the path.
struct __attribute__((packed)) SubvolumeHandle {
  static constexpr int kWithoutParent = 0x4d;

  unsigned bytes = sizeof(std::uint64_t) * 2 + sizeof(std::uint32_t);
  int type = kWithoutParent;
  std::uint64_t object = BTRFS_FIRST_FREE_OBJECTID;
  std::uint64_t root = 0;
  std::uint32_t generation = 0;  ///< 0: whichever it is
};

}  // namespace

Result<UniqueFd> SubvolumeDirectory::openFolder(const SubvolumeName& name) const {
  return sys::openAt(fd(), name.folder.c_str(), kDirectoryFlags);
}

Result<UniqueFd> SubvolumeDirectory::open(const SubvolumeName& name) const {
  Result<UniqueFd> folder = openFolder(name);
  if (!folder) return folder;
  return sys::openAt(folder.value().get(), name.leaf.c_str(), kDirectoryFlags);
}

Result<UniqueFd> SubvolumeDirectory::openById(std::uint64_t id) const {
  SubvolumeHandle handle;
  handle.root = id;
  return fdOf(sys::call(__NR_open_by_handle_at, fd(), &handle, O_RDONLY | O_CLOEXEC),
              "open_by_handle_at");
}

Status SubvolumeDirectory::create(const SubvolumeName& name) const {
  Result<UniqueFd> folder = openFolder(name);
  if (!folder) return folder.status();
  btrfs_ioctl_vol_args_v2 arguments{};
  setName(arguments, name.leaf);
  return control(folder.value().get(), BTRFS_IOC_SUBVOL_CREATE_V2, &arguments, "make subvolume");
}

Status SubvolumeDirectory::snapshot(const SubvolumeName& parent, const SubvolumeName& staged,
                                    const SubvolumeName& name) const {
  Result<UniqueFd> source = open(parent);
  if (!source) return source.status().during("open the parent");
  Result<UniqueFd> folder = openFolder(staged);
  if (!folder) return folder.status();
  btrfs_ioctl_vol_args_v2 arguments{};
  arguments.fd = source.value().get();
  setName(arguments, staged.leaf);
  const Status made =
      control(folder.value().get(), BTRFS_IOC_SNAP_CREATE_V2, &arguments, "make snapshot");
  if (!made) return made;
  const Status renamed = rename(staged, name);
  if (!renamed) {
    // The first error is the one to tell; what cannot be deleted is found at the next start.
    Result<std::uint64_t> id = idOf(staged);
    if (id) (void)!destroy({id.value()});
  }
  return renamed;
}

Status SubvolumeDirectory::rename(const SubvolumeName& from, const SubvolumeName& to) const {
  Result<UniqueFd> source = openFolder(from);
  if (!source) return source.status();
  Result<UniqueFd> target = openFolder(to);
  if (!target) return target.status();
  return statusOf(sys::call(__NR_renameat2, source.value().get(), from.leaf.c_str(),
                            target.value().get(), to.leaf.c_str(), RENAME_NOREPLACE),
                  "renameat2")
      .during("give the snapshot its name");
}

Result<std::uint64_t> SubvolumeDirectory::idOf(const SubvolumeName& name) const {
  Result<UniqueFd> opened = open(name);
  if (!opened) return opened.status();
  Result<sys::FileInfo> info = sys::fileInfo(opened.value().get());
  if (!info) return info.status();
  if (info.value().inode != BTRFS_FIRST_FREE_OBJECTID) {
    return brokenRule(EINVAL, "not a subvolume");
  }
  btrfs_ioctl_ino_lookup_args lookup{};
  lookup.objectid = BTRFS_FIRST_FREE_OBJECTID;
  const Status found =
      control(opened.value().get(), BTRFS_IOC_INO_LOOKUP, &lookup, "find the id of a subvolume");
  if (!found) return found;
  return std::uint64_t{lookup.treeid};
}

Result<std::vector<std::uint64_t>> SubvolumeDirectory::familyOf(std::uint64_t id) const {
  // Parents first; the list grows while it is gone through.
  std::vector<std::uint64_t> family{id};
  for (std::size_t at = 0; at < family.size(); ++at) {
    SearchRange children{.tree = BTRFS_ROOT_TREE_OBJECTID};
    children.firstObject = children.lastObject = family[at];
    children.firstType = children.lastType = BTRFS_ROOT_REF_KEY;
    const Status searched =
        searchTree(fd(), children, [&](const TreeItem& item) { family.push_back(item.offset); });
    if (!searched) return searched;
  }
  std::reverse(family.begin(), family.end());
  return family;
}

Status SubvolumeDirectory::destroy(const std::vector<std::uint64_t>& family) const {
  for (const std::uint64_t id : family) {
    std::uint64_t parent = 0;
    SearchRange above{.tree = BTRFS_ROOT_TREE_OBJECTID};
    above.firstObject = above.lastObject = id;
    above.firstType = above.lastType = BTRFS_ROOT_BACKREF_KEY;
    if (const Status searched =
            searchTree(fd(), above, [&](const TreeItem& item) { parent = item.offset; });
        !searched) {
      return searched;
    }
    // Deleted before and not freed yet.
    if (parent == 0) continue;
    if (const Status done = destroyOne(id, parent); !done) return done;
  }
  return {};
}

Status SubvolumeDirectory::destroyOne(std::uint64_t id, std::uint64_t parent) const {
  const auto attempt = [&] {
    btrfs_ioctl_vol_args_v2 arguments{};
    arguments.flags = BTRFS_SUBVOL_SPEC_BY_ID;
    arguments.subvolid = id;
    return control(fd(), BTRFS_IOC_SNAP_DESTROY_V2, &arguments, "delete subvolume");
  };
  const Status done = attempt();
  if (done || done.error().number != EROFS) return done;
  // A container may have made the subvolume around it read-only.
  Result<UniqueFd> around = openById(parent);
  if (!around) return done;
  std::uint64_t flags = 0;
  const Status opened = control(around.value().get(), BTRFS_IOC_SUBVOL_SETFLAGS, &flags,
                                "make the subvolume around it writable");
  return opened ? attempt() : opened;
}

Result<bool> SubvolumeDirectory::isThere(std::uint64_t id) const {
  SearchRange root{.tree = BTRFS_ROOT_TREE_OBJECTID};
  root.firstObject = root.lastObject = id;
  root.firstType = root.lastType = BTRFS_ROOT_ITEM_KEY;
  bool there = false;
  const Status searched = searchTree(fd(), root, [&](const TreeItem&) { there = true; });
  if (!searched) return searched;
  return static_cast<bool&&>(there);
}

Result<std::vector<std::uint64_t>> SubvolumeDirectory::awaitFreed(
    const std::vector<std::uint64_t>& ids, std::chrono::milliseconds limit) const {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::chrono::milliseconds pause = kFirstPause;
  std::vector<std::uint64_t> left = ids;
  for (;;) {
    std::vector<std::uint64_t> there;
    for (const std::uint64_t id : left) {
      Result<bool> found = isThere(id);
      if (!found) return found.status();
      if (found.value()) there.push_back(id);
    }
    left = std::move(there);
    wakeCleaner();
    // Blocks can be used again only after the transaction that freed them.
    if (const Status ended = endTransaction(); !ended) return ended;
    if (left.empty() || std::chrono::steady_clock::now() >= deadline) return left;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

void SubvolumeDirectory::wakeCleaner() const {
  // The kernel's cleaner sleeps until the next transaction, up to half a minute or as the file
  // system is mounted, and ending one in which nothing has changed is no reason to wake it. On a
  // full disk this may fail, but there the deletions themselves are changes.
  (void)!statusOf(sys::call(__NR_utimensat, fd(), nullptr, nullptr, 0), "utimensat");
}

Status SubvolumeDirectory::sync() const {
  return statusOf(sys::call(__NR_syncfs, fd()), "syncfs").during("write to the disk");
}

Status SubvolumeDirectory::endTransaction() const {
  std::uint64_t transaction = 0;
  if (const Status started =
          control(fd(), BTRFS_IOC_START_SYNC, &transaction, "end the transaction");
      !started) {
    return started;
  }
  return control(fd(), BTRFS_IOC_WAIT_SYNC, &transaction, "end the transaction");
}

}  // namespace teu::btrfs
