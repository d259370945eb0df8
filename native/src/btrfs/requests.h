// What the driver can ask for, in lines as conversation/words.h has them.
//
//   create NAME
//   snapshot PARENT STAGED NAME
//   destroy NAME                 -> ids of the subvolumes that are being freed
//   settle MS ID...              waits until they are freed, or so long -> ids that are left
//   usage NAME                   -> bytes inodes
//   sync                         writes everything to the disk
//   limit NAME BYTES             0 for no limit
//   quota NAME                   -> limit used
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "btrfs/quota.h"
#include "btrfs/subvolumes.h"
#include "conversation/words.h"

namespace teu::btrfs {

class Requests {
 public:
  Requests(const SubvolumeDirectory& directory, Quota& quota) noexcept
      : directory_(directory), quota_(quota) {}

  /// Does what a line asks for, and returns the line to answer with. May be called by several
  /// threads at once.
  std::string handle(std::string_view line) const;

 private:
  using Arguments = conversation::Words;
  using Values = conversation::Values;

  Result<Values> run(const Arguments& words) const;
  Result<Values> withName(std::string_view verb, const SubvolumeName& name,
                          const Arguments& rest) const;
  Result<Values> destroy(const SubvolumeName& name) const;
  Result<Values> settle(const Arguments& words) const;
  Result<Values> usage(const SubvolumeName& name) const;
  Result<Values> limit(const SubvolumeName& name, std::string_view bytes) const;
  Result<Values> quota(const SubvolumeName& name) const;
  Result<std::vector<std::uint64_t>> familyOf(const SubvolumeName& name) const;

  const SubvolumeDirectory& directory_;
  Quota& quota_;
};

}  // namespace teu::btrfs
