// Items of a btrfs tree, as BTRFS_IOC_TREE_SEARCH_V2 (Linux 3.14) shows them. Needs CAP_SYS_ADMIN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "sys/result.h"

namespace teu::btrfs {

/// Which items are wanted. Limits are inclusive, and those of a key count as one long number: with
/// more than one object, items of other types and offsets come along (linux/btrfs.h).
struct SearchRange {
  std::uint64_t tree = 0;
  std::uint64_t firstObject = 0;
  std::uint64_t lastObject = UINT64_MAX;
  std::uint32_t firstType = 0;
  std::uint32_t lastType = UINT8_MAX;
  std::uint64_t firstOffset = 0;
  std::uint64_t lastOffset = UINT64_MAX;
  /// Leaves that were last written before this transaction are left out.
  std::uint64_t firstTransaction = 0;
};

struct TreeItem {
  std::uint64_t object;
  std::uint32_t type;
  std::uint64_t offset;
  std::span<const std::byte> data;

  /// Copies the item; false if it is shorter than `record`.
  template <typename Record>
  bool read(Record& record) const {
    if (data.size() < sizeof record) return false;
    __builtin_memcpy(&record, data.data(), sizeof record);
    return true;
  }
};

/// Shows all items of the range in order. ENOENT if there is no such tree.
Status searchTree(int fd, const SearchRange& range,
                  const std::function<void(const TreeItem&)>& visit);

}  // namespace teu::btrfs
