// The file systems of a pool's volumes: measured, limited, and mounted where nobody sees it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "dm/filesystem.h"
#include "dm/pool.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu::dm {

/// All volumes have to be active. Methods may be called by several threads at once.
class Volumes {
 public:
  Volumes(const Pool& pool, FilesystemType type) noexcept : pool_(pool), type_(type) {}

  Result<Figures> measure(std::uint64_t id) const;
  /// Has the file system of a volume that nobody has open in order, and all of it on the disk.
  Status settle(std::uint64_t id) const;
  /// Makes a new file system the tree that everything begins with.
  Status empty(std::uint64_t id) const;
  /// Frees all blocks of a volume that nobody has open, also below the pool.
  Status discard(std::uint64_t id, std::uint64_t bytes) const;

  /// Keeps a volume mounted. @returns a descriptor of the mount, which the process has.
  Result<int> hold(std::uint64_t id, bool readOnly);
  /// Lets go of it, if it is held.
  void release(std::uint64_t id);
  /// Limits what the file system holds, for as long as it is held or mounted elsewhere: it is held.
  Status limit(std::uint64_t id, std::uint64_t maximumBytes);
  /// Takes the limit off; the volume is not held any more.
  Status unlimit(std::uint64_t id);

 private:
  Result<UniqueFd> mount(std::uint64_t id, bool readOnly) const;
  Result<std::optional<Figures>> readUnmounted(std::uint64_t id) const;
  bool isInOrder(std::uint64_t id) const;

  const Pool& pool_;
  const FilesystemType type_;
  std::mutex lock_{};
  std::map<std::uint64_t, UniqueFd> held_{};
};

}  // namespace teu::dm
