#include "btrfs/tree_search.h"

#include <linux/btrfs.h>

#include <algorithm>
#include <memory>

#include "btrfs/ioctl.h"

namespace teu::btrfs {
namespace {

constexpr std::size_t kBufferBytes = 256 << 10;

/// Moves the lower limit behind a key. False if there is no key behind it.
bool advance(btrfs_ioctl_search_key& key, const btrfs_ioctl_search_header& last) {
  key.min_objectid = last.objectid;
  key.min_type = last.type;
  key.min_offset = last.offset + 1;
  if (key.min_offset != 0) return true;
  key.min_type = last.type + 1;
  if (key.min_type <= UINT8_MAX) return true;
  key.min_type = 0;
  key.min_objectid = last.objectid + 1;
  return key.min_objectid != 0;
}

}  // namespace

Status searchTree(int fd, const SearchRange& range,
                  const std::function<void(const TreeItem&)>& visit) {
  const auto memory =
      std::make_unique<std::byte[]>(sizeof(btrfs_ioctl_search_args_v2) + kBufferBytes);
  auto* arguments = new (memory.get()) btrfs_ioctl_search_args_v2{};
  btrfs_ioctl_search_key& key = arguments->key;
  key.tree_id = range.tree;
  key.min_objectid = range.firstObject;
  key.max_objectid = range.lastObject;
  key.min_type = range.firstType;
  key.max_type = range.lastType;
  key.min_offset = range.firstOffset;
  key.max_offset = range.lastOffset;
  key.min_transid = range.firstTransaction;
  key.max_transid = UINT64_MAX;
  for (;;) {
    key.nr_items = UINT32_MAX;
    arguments->buf_size = kBufferBytes;
    if (const Status found = control(fd, BTRFS_IOC_TREE_SEARCH_V2, arguments, "search a tree");
        !found) {
      return found;
    }
    if (key.nr_items == 0) return {};
    const std::byte* at = memory.get() + sizeof(btrfs_ioctl_search_args_v2);
    btrfs_ioctl_search_header header{};
    for (std::uint32_t index = 0; index < key.nr_items; ++index) {
      __builtin_memcpy(&header, at, sizeof header);
      at += sizeof header;
      visit(TreeItem{header.objectid, header.type, header.offset, {at, header.len}});
      at += header.len;
    }
    if (!advance(key, header)) return {};
  }
}

}  // namespace teu::btrfs
