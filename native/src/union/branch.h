// A directory of which the union is made.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "union/failures.h"

namespace teu::unionfs {

enum class Permission {
  kReadWrite,          ///< rw
  kReadOnly,           ///< ro: its whiteouts are not shown and mean nothing
  kReadOnlyWhiteouts,  ///< ro+wh: its whiteouts hide what is below
};

const char* permissionName(Permission permission) noexcept;

/// What a branch is to be: DIR=PERM on the command line, PERM=DIR for the control socket.
struct BranchSpec {
  std::string path;
  Permission permission = Permission::kReadOnly;
};
bool parsePermission(std::string_view text, Permission& permission);

/// Held open for as long as it is used. A change of permission makes another one.
struct Branch {
  std::string path;
  Permission permission = Permission::kReadOnly;
  UniqueFd root{};
  UniqueFd work{};   ///< kWorkPlace, if writable
  UniqueFd links{};  ///< kPseudoLinks, if writable
  dev_t device = 0;
  ino_t rootInode = 0;
  std::atomic<bool> refusesPassthrough = false;

  bool honoursWhiteouts() const noexcept { return permission != Permission::kReadOnly; }
  bool writable() const noexcept { return permission == Permission::kReadWrite; }
};

using BranchPointer = std::shared_ptr<Branch>;
/// Topmost first.
using BranchList = std::vector<BranchPointer>;

inline constexpr std::size_t kMaxBranches = 513;

/// Opens a branch; in a writable one makes the union's own directories, and empties the work place.
Result<BranchPointer> openBranch(const BranchSpec& spec);

/// Opens a list, taking over from `previous` what stays as it is. Fails with EINVAL if there are
/// none, too many, or the same directory twice.
Result<BranchList> openBranches(const std::vector<BranchSpec>& specs, const BranchList& previous);

}  // namespace teu::unionfs
