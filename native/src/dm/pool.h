// A thin pool and its volumes, which are known by number. The kernel makes changes of a pool one
// after the other and has each on the disk before it answers.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "dm/device_mapper.h"
#include "dm/filesystem.h"
#include "dm/pool_text.h"
#include "dm/thin_metadata.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu::dm {

/// Sizes of the files of a pool that is kept in files.
struct PoolFiles {
  std::uint64_t dataBytes = 0;
  std::uint64_t metadataBytes = 0;
  /// The kernel raises an event when fewer blocks are free.
  std::uint64_t lowBlocks = 0;
};

/// Where the block device of a volume is.
struct Node {
  std::string path;
  DeviceNumber number;
  int openCount = 0;
};

/// All methods may be called by several threads at once; those that change the device of a volume
/// are made one after the other for each volume.
class Pool {
 public:
  /// @param name of the pool in device-mapper: letters, digits and `+_.-`.
  Pool(DeviceMapper mapper, std::string name);

  /// EINVAL if the kernel has no thin pools.
  Status probe() const;
  /// ENXIO if there is no pool of the name; EINVAL if the device is none.
  Result<PoolStatus> status() const;
  /// EINVAL if the device is no pool.
  Result<PoolTable> table() const;
  /// Makes the pool from the files `data` and `metadata` in a directory, which are made if they are
  /// not there, and made longer if they are shorter.
  Status make(int directory, const PoolFiles& files) const;
  /// EBUSY if it has active volumes.
  Status drop() const;

  Status create(std::uint64_t id) const;
  /// What the file system of the origin holds, if it is in use, is written out first. ENODATA
  /// without an origin, EEXIST if there is a volume of the id.
  Status snapshot(std::uint64_t origin, std::uint64_t id) const;
  /// ENODATA if there is none, EBUSY if it is active.
  Status destroy(std::uint64_t id) const;
  /// EINVAL if the transaction is not `from`.
  Status setTransaction(std::uint64_t from, std::uint64_t to) const;
  Result<std::vector<VolumeDetails>> volumes() const;
  Result<std::uint64_t> ownBlocks(std::uint64_t id) const;

  Status activate(std::uint64_t id, std::uint64_t bytes, bool readOnly) const;
  /// False if it is open, and goes when it is closed.
  Result<bool> deactivate(std::uint64_t id) const;
  /// Ids of the volumes that are active.
  Result<std::vector<std::uint64_t>> active() const;
  /// ENXIO if the volume is not active.
  Result<Node> node(std::uint64_t id) const;
  Result<UniqueFd> open(std::uint64_t id, int flags) const;
  /// Bytes of an active volume that have a block, shared or not.
  Result<std::uint64_t> mappedBytes(std::uint64_t id) const;

 private:
  std::string volumeName(std::uint64_t id) const;
  Status removeNode(std::uint64_t id) const;
  Status makeNode(std::uint64_t id, const DeviceNumber& number) const;
  Status build(std::uint64_t id, std::uint64_t bytes, bool readOnly) const;
  bool hasGone(const std::string& device, const Status& refused) const;
  Status snapshotFrozen(const std::string& origin, const std::string& message) const;
  Status holdMetadata() const;
  /// Lets `work` read the metadata as they are now.
  Status withMetadata(
      const std::function<Status(const ReadBlock& read, std::uint64_t root)>& work) const;
  std::mutex& lockOf(std::uint64_t id) const { return locks_[id % locks_.size()]; }

  const DeviceMapper mapper_;
  const std::string name_;
  /// What names of volumes begin with.
  const std::string prefix_;
  const std::string directory_;
  mutable std::mutex metadata_{};
  mutable std::array<std::mutex, 64> locks_{};
};

}  // namespace teu::dm
