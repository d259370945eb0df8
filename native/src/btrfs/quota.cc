#include "btrfs/quota.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>

#include <initializer_list>

#include "btrfs/ioctl.h"
#include "btrfs/tree_search.h"

namespace teu::btrfs {
namespace {

/// linux/btrfs.h and btrfs_tree.h of Linux 6.7.
constexpr std::uint64_t kEnableSimpleQuota = 4;
constexpr std::uint64_t kStatusSimpleMode = 1ULL << 3;

/// Level of the groups that carry limits: high, because people who make groups by hand begin low.
constexpr std::uint64_t kLimitLevel = 7447;
constexpr unsigned kLevelShift = 48;
constexpr std::uint64_t kNoLimit = UINT64_MAX;

std::uint64_t limitGroup(std::uint64_t id) {
  return kLimitLevel << kLevelShift | id;
}

/// Success also if the kernel's answer is one of those that are fine here.
Status unless(const Status& status, std::initializer_list<int> fine) {
  if (status) return status;
  for (const int number : fine) {
    if (status.error().number == number) return {};
  }
  return status;
}

}  // namespace

Result<Quota::Accounting> Quota::accounting() const {
  SearchRange range{.tree = BTRFS_QUOTA_TREE_OBJECTID, .lastObject = 0};
  range.firstType = range.lastType = BTRFS_QGROUP_STATUS_KEY;
  std::uint64_t flags = 0;
  const Status searched = searchTree(fd_, range, [&](const TreeItem& item) {
    btrfs_qgroup_status_item record{};
    if (item.read(record)) flags = record.flags;
  });
  if (!searched && searched.error().number != ENOENT) return searched;
  if (!searched || (flags & BTRFS_QGROUP_STATUS_FLAG_ON) == 0) return Accounting::kOff;
  if ((flags & kStatusSimpleMode) != 0) return Accounting::kSimple;
  const std::uint64_t wrong =
      BTRFS_QGROUP_STATUS_FLAG_INCONSISTENT | BTRFS_QGROUP_STATUS_FLAG_RESCAN;
  return (flags & wrong) == 0 ? Accounting::kFull : Accounting::kFullRescan;
}

Result<Quota::Accounting> Quota::turnOn() const {
  btrfs_ioctl_quota_ctl_args arguments{};
  arguments.cmd = kEnableSimpleQuota;
  Status on = control(fd_, BTRFS_IOC_QUOTA_CTL, &arguments, "turn simple quotas on");
  if (!on && (on.error().number == EINVAL || on.error().number == EOPNOTSUPP)) {
    arguments.cmd = BTRFS_QUOTA_CTL_ENABLE;
    on = control(fd_, BTRFS_IOC_QUOTA_CTL, &arguments, "turn quotas on");
  }
  if (on = unless(on, {EEXIST}); !on) return on;
  return accounting();
}

Status Quota::waitForRescan(bool start) const {
  if (start) {
    btrfs_ioctl_quota_rescan_args arguments{};
    const Status begun = control(fd_, BTRFS_IOC_QUOTA_RESCAN, &arguments, "count for quotas");
    if (const Status running = unless(begun, {EINPROGRESS}); !running) return running;
  }
  return control(fd_, BTRFS_IOC_QUOTA_RESCAN_WAIT, nullptr, "count for quotas");
}

Status Quota::limit(const std::vector<std::uint64_t>& family, std::uint64_t bytes) {
  const std::lock_guard lock(turningOn_);
  Result<Accounting> mode = accounting();
  if (!mode) return mode.status();
  if (mode.value() == Accounting::kOff) {
    if (bytes == 0) return {};
    mode = turnOn();
    if (!mode) return mode.status();
  }
  if (mode.value() == Accounting::kFullRescan) {
    if (const Status counted = waitForRescan(true); !counted) return counted;
  }
  const std::uint64_t id = family.back();
  const std::uint64_t wanted = bytes == 0 ? kNoLimit : bytes;
  if (mode.value() != Accounting::kSimple) return setLimit(id, wanted);
  if (const Status grouped = group(family); !grouped) return grouped;
  return setLimit(limitGroup(id), wanted);
}

Status Quota::group(const std::vector<std::uint64_t>& family) const {
  const std::uint64_t above = limitGroup(family.back());
  btrfs_ioctl_qgroup_create_args made{.create = 1, .qgroupid = above};
  const Status created = control(fd_, BTRFS_IOC_QGROUP_CREATE, &made, "make the group of a limit");
  if (const Status there = unless(created, {EEXIST}); !there) return there;
  for (const std::uint64_t id : family) {
    btrfs_ioctl_qgroup_assign_args member{.assign = 1, .src = id, .dst = above};
    const Status joined = control(fd_, BTRFS_IOC_QGROUP_ASSIGN, &member, "join the group");
    if (const Status inside = unless(joined, {EEXIST}); !inside) return inside;
  }
  return {};
}

Status Quota::setLimit(std::uint64_t qgroup, std::uint64_t bytes) const {
  btrfs_ioctl_qgroup_limit_args arguments{};
  arguments.qgroupid = qgroup;
  arguments.lim.flags = BTRFS_QGROUP_LIMIT_MAX_EXCL;
  arguments.lim.max_excl = bytes;
  return control(fd_, BTRFS_IOC_QGROUP_LIMIT, &arguments, "set the limit");
}

Result<std::optional<QuotaState>> Quota::look(std::uint64_t id) const {
  Result<Accounting> mode = accounting();
  if (!mode) return mode.status();
  if (mode.value() == Accounting::kOff) return std::optional<QuotaState>{};
  QuotaState own;
  QuotaState grouped;
  bool isGrouped = false;
  SearchRange range{.tree = BTRFS_QUOTA_TREE_OBJECTID, .lastObject = 0};
  range.firstType = BTRFS_QGROUP_INFO_KEY;
  range.lastType = BTRFS_QGROUP_LIMIT_KEY;
  const auto record = [&](const TreeItem& item) {
    if (item.offset != id && item.offset != limitGroup(id)) return;
    QuotaState& state = item.offset == id ? own : grouped;
    isGrouped = isGrouped || &state == &grouped;
    btrfs_qgroup_info_item info{};
    btrfs_qgroup_limit_item limit{};
    if (item.type == BTRFS_QGROUP_INFO_KEY && item.read(info)) state.usedBytes = info.excl;
    if (item.type == BTRFS_QGROUP_LIMIT_KEY && item.read(limit) &&
        (limit.flags & BTRFS_QGROUP_LIMIT_MAX_EXCL) != 0) {
      state.limitBytes = limit.max_excl;
    }
  };
  if (const Status searched = searchTree(fd_, range, record); !searched) return searched;
  return std::optional<QuotaState>(isGrouped ? grouped : own);
}

Status Quota::removeGroup(std::uint64_t qgroup) const {
  btrfs_ioctl_qgroup_create_args arguments{.create = 0, .qgroupid = qgroup};
  const Status removed = control(fd_, BTRFS_IOC_QGROUP_CREATE, &arguments, "remove the qgroup");
  // Busy: the subvolume is still there, or something that it wrote is. ENOTCONN: turned off since.
  return unless(removed, {ENOENT, EBUSY, ENOTCONN});
}

Status Quota::release(const std::vector<std::uint64_t>& family) const {
  Result<Accounting> mode = accounting();
  if (!mode) return mode.status();
  if (mode.value() == Accounting::kOff) return {};
  const std::uint64_t above = limitGroup(family.back());
  for (const std::uint64_t id : family) {
    btrfs_ioctl_qgroup_assign_args member{.assign = 0, .src = id, .dst = above};
    const Status left = control(fd_, BTRFS_IOC_QGROUP_ASSIGN, &member, "leave the group");
    if (const Status apart = unless(left, {ENOENT, EINVAL, ENOTCONN}); !apart) return apart;
    if (const Status removed = removeGroup(id); !removed) return removed;
  }
  return removeGroup(above);
}

Status Quota::forget(const std::vector<std::uint64_t>& ids) const {
  Result<Accounting> mode = accounting();
  if (!mode) return mode.status();
  if (mode.value() == Accounting::kOff) return {};
  for (const std::uint64_t id : ids) {
    for (const std::uint64_t qgroup : {id, limitGroup(id)}) {
      if (const Status removed = removeGroup(qgroup); !removed) return removed;
    }
  }
  return {};
}

}  // namespace teu::btrfs
