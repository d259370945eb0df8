// Limits by qgroups.
//
// Simple quotas (Linux 6.7) count an extent for the subvolume that wrote it, which is just what a
// snapshot holds beside its parents. A limited subvolume gets a group of its own above it, because
// subvolumes made inside join the groups of the one around them: none escapes the limit.
//
// With full accounting, which the owner of the file system may have chosen, the exclusive bytes of
// the subvolume's own qgroup are limited, and subvolumes made inside are not.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "sys/result.h"

namespace teu::btrfs {

struct QuotaState {
  std::uint64_t limitBytes = 0;  ///< 0 for none
  std::uint64_t usedBytes = 0;   ///< as of the end of the last transaction
};

class Quota {
 public:
  explicit Quota(int fd) noexcept : fd_(fd) {}

  /// Limits a family of subvolumes (`SubvolumeDirectory::familyOf`); 0 for no limit. The first
  /// limit of a file system turns its accounting on. Not durable before the transaction ends.
  Status limit(const std::vector<std::uint64_t>& family, std::uint64_t bytes);
  /// Nothing if the file system does not account.
  Result<std::optional<QuotaState>> look(std::uint64_t id) const;
  /// Removes the qgroups of subvolumes that are to be deleted, as far as the kernel lets that be
  /// done while they are there.
  Status release(const std::vector<std::uint64_t>& family) const;
  /// Removes what is left of them when they are gone. Later kernels have done it by themselves.
  Status forget(const std::vector<std::uint64_t>& ids) const;

 private:
  enum class Accounting { kOff, kFull, kFullRescan, kSimple };

  Result<Accounting> accounting() const;
  Result<Accounting> turnOn() const;
  Status waitForRescan(bool start) const;
  Status group(const std::vector<std::uint64_t>& family) const;
  Status setLimit(std::uint64_t qgroup, std::uint64_t bytes) const;
  Status removeGroup(std::uint64_t qgroup) const;

  const int fd_;
  std::mutex turningOn_{};
};

}  // namespace teu::btrfs
