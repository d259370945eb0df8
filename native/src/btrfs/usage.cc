#include "btrfs/usage.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>

#include <algorithm>
#include <unordered_set>

#include "btrfs/ioctl.h"
#include "btrfs/tree_search.h"

namespace teu::btrfs {
namespace {

/// What a leaf holds of each item beside its data: key, offset and size (struct btrfs_item).
constexpr std::uint64_t kItemHeaderBytes = 25;

/// The transaction that made a subvolume as a snapshot; 0 if it is none, for then all is its own.
Result<std::uint64_t> snapshotTransaction(int fd, std::uint64_t id) {
  SearchRange root{.tree = BTRFS_ROOT_TREE_OBJECTID};
  root.firstObject = root.lastObject = id;
  root.firstType = root.lastType = BTRFS_ROOT_ITEM_KEY;
  bool known = false;
  std::uint64_t transaction = 0;
  const Status searched = searchTree(fd, root, [&](const TreeItem& item) {
    btrfs_root_item record{};
    known = item.read(record);
    const auto* uuid = record.parent_uuid;
    const bool isSnapshot = std::any_of(uuid, uuid + BTRFS_UUID_SIZE, [](auto b) { return b; });
    transaction = isSnapshot ? std::uint64_t{record.otransid} : 0;
  });
  if (!searched) return searched;
  if (!known) return brokenRule(ENOENT, "no record of the subvolume");
  return static_cast<std::uint64_t&&>(transaction);
}

class Meter {
 public:
  /// Looks at one item of a subvolume that was made by `transaction`.
  void count(const TreeItem& item, std::uint64_t transaction) {
    metadataBytes_ += item.data.size() + kItemHeaderBytes;
    if (item.type == BTRFS_INODE_ITEM_KEY) {
      btrfs_inode_item inode{};
      if (item.read(inode) && inode.transid > transaction) ++inodes_;
    } else if (item.type == BTRFS_EXTENT_DATA_KEY) {
      btrfs_file_extent_item extent{};
      // Small files lie in the leaf itself, in less than a whole record.
      if (!item.read(extent) || extent.type == BTRFS_FILE_EXTENT_INLINE) return;
      if (extent.disk_bytenr == 0 || extent.generation <= transaction) return;
      if (extents_.insert(extent.disk_bytenr).second) dataBytes_ += extent.disk_num_bytes;
    }
  }

  Usage total(std::uint64_t leafBytes) const {
    const std::uint64_t leaves = (metadataBytes_ + leafBytes - 1) / leafBytes;
    return {.bytes = dataBytes_ + leaves * leafBytes, .inodes = inodes_};
  }

 private:
  std::unordered_set<std::uint64_t> extents_;
  std::uint64_t dataBytes_ = 0;
  std::uint64_t metadataBytes_ = 0;
  std::uint64_t inodes_ = 0;
};

}  // namespace

Result<Usage> measureUsage(int fd, const std::vector<std::uint64_t>& family) {
  btrfs_ioctl_fs_info_args filesystem{};
  if (const Status known = control(fd, BTRFS_IOC_FS_INFO, &filesystem, "measure"); !known) {
    return known;
  }
  Meter meter;
  for (const std::uint64_t id : family) {
    Result<std::uint64_t> made = snapshotTransaction(fd, id);
    if (!made) return made.status();
    const std::uint64_t transaction = made.value();
    SearchRange changed{.tree = id};
    changed.firstTransaction = transaction == 0 ? 0 : transaction + 1;
    const Status searched =
        searchTree(fd, changed, [&](const TreeItem& item) { meter.count(item, transaction); });
    if (!searched) return searched;
  }
  return meter.total(filesystem.nodesize);
}

}  // namespace teu::btrfs
