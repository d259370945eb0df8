// Subvolumes and snapshots: what is done to them, by ioctls (linux/btrfs.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "btrfs/subvolume_name.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu::btrfs {

/// The driver's directory, held open: no request depends on what lies above it.
class SubvolumeDirectory {
 public:
  explicit SubvolumeDirectory(UniqueFd fd) noexcept : fd_(static_cast<UniqueFd&&>(fd)) {}

  int fd() const noexcept { return fd_.get(); }

  /// Makes an empty subvolume, root 0755 (less the umask).
  Status create(const SubvolumeName& name) const;
  /// Makes a writable snapshot under the name `staged`, which is on the disk then, and renames it.
  /// The kernel locks a directory while it makes a snapshot there, so those that are to be made at
  /// the same time, in one transaction, are staged in different directories.
  Status snapshot(const SubvolumeName& parent, const SubvolumeName& staged,
                  const SubvolumeName& name) const;
  /// Id of a subvolume; EINVAL if it is an ordinary directory.
  Result<std::uint64_t> idOf(const SubvolumeName& name) const;
  /// Deletes a subvolume with those that were made inside, by id. What lies in them is freed later,
  /// by the kernel: see `awaitFreed`.
  Status destroy(const std::vector<std::uint64_t>& family) const;
  /// A subvolume and all below it, the deepest first.
  Result<std::vector<std::uint64_t>> familyOf(std::uint64_t id) const;
  /// Waits until deleted subvolumes are gone from the disk and their blocks are free, but not for
  /// ever: one that is still mounted somewhere goes when that ends. Returns those that are left.
  Result<std::vector<std::uint64_t>> awaitFreed(const std::vector<std::uint64_t>& ids,
                                                std::chrono::milliseconds limit) const;
  /// Writes everything to the disk: syncfs(2), with the errors of writing since this was opened.
  Status sync() const;
  /// Ends the current transaction: what was done to subvolumes and limits is on the disk then.
  Status endTransaction() const;

 private:
  Result<UniqueFd> openFolder(const SubvolumeName& name) const;
  Result<UniqueFd> open(const SubvolumeName& name) const;
  Result<UniqueFd> openById(std::uint64_t id) const;
  Status rename(const SubvolumeName& from, const SubvolumeName& to) const;
  Status destroyOne(std::uint64_t id, std::uint64_t parent) const;
  void wakeCleaner() const;
  Result<bool> isThere(std::uint64_t id) const;

  UniqueFd fd_;
};

}  // namespace teu::btrfs
