// Changing the list of branches of a union in use, as AUFS does by remounting.
#pragma once

#include <vector>

#include "union/filesystem.h"

namespace teu::unionfs {

class BranchChanges {
 public:
  explicit BranchChanges(FileSystem& files) noexcept : files_(files) {}

  std::vector<BranchSpec> list() const;
  /// EBUSY: no branch is writable any more.
  Status set(const std::vector<BranchSpec>& specs);
  Status add(std::size_t index, const BranchSpec& spec);
  Status remove(const std::string& path);
  Status modify(const BranchSpec& spec);
  /// Has the kernel look everything up again.
  Status refresh();
  void revalidate(bool on);
  /// Gives files that were copied up the names that they have below, and writes all to the disk.
  Status flush();

 private:
  void tellKernel();

  FileSystem& files_;
};

}  // namespace teu::unionfs
