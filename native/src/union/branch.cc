#include "union/branch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "union/names.h"
#include "union/removal.h"

namespace teu::unionfs {
namespace {

constexpr mode_t kPrivateMode = 0700;

Result<UniqueFd> openOwnDirectory(int root, const char* name) {
  if (mkdirat(root, name, kPrivateMode) < 0 && errno != EEXIST) return lastFailure("mkdirat");
  return opened(openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "openat");
}

Status prepareWritable(Branch& branch) {
  Result<UniqueFd> work = openOwnDirectory(branch.root.get(), kWorkPlace);
  if (!work) return work.status().during("make the work place");
  branch.work = std::move(work.value());
  // What a crash has left.
  if (Status emptied = removeContents(branch.work.get()); !emptied) {
    return emptied.during("empty the work place");
  }
  Result<UniqueFd> links = openOwnDirectory(branch.root.get(), kPseudoLinks);
  if (!links) return links.status().during("make the place of pseudo links");
  branch.links = std::move(links.value());
  return {};
}

bool sameAs(const Branch& branch, const Branch& other) {
  return branch.device == other.device && branch.rootInode == other.rootInode;
}

/// The branch of `previous` that is what `made` is to be, or `made`.
BranchPointer reuse(const BranchPointer& made, const BranchList& previous) {
  for (const BranchPointer& known : previous) {
    if (sameAs(*known, *made) && known->permission == made->permission) return known;
  }
  return made;
}

}  // namespace

const char* permissionName(Permission permission) noexcept {
  switch (permission) {
    case Permission::kReadWrite:
      return "rw";
    case Permission::kReadOnly:
      return "ro";
    case Permission::kReadOnlyWhiteouts:
      return "ro+wh";
  }
  return "";
}

bool parsePermission(std::string_view text, Permission& permission) {
  for (const Permission known :
       {Permission::kReadWrite, Permission::kReadOnly, Permission::kReadOnlyWhiteouts}) {
    if (text != permissionName(known)) continue;
    permission = known;
    return true;
  }
  return false;
}

Result<BranchPointer> openBranch(const BranchSpec& spec) {
  auto branch = std::make_shared<Branch>();
  branch->path = spec.path;
  branch->permission = spec.permission;
  Result<UniqueFd> root =
      opened(open(spec.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
  if (!root) return root.status().during("open the branch");
  branch->root = std::move(root.value());
  struct stat info;
  if (fstat(branch->root.get(), &info) < 0) return lastFailure("fstat", "open the branch");
  branch->device = info.st_dev;
  branch->rootInode = info.st_ino;
  return branch;
}

Result<BranchList> openBranches(const std::vector<BranchSpec>& specs, const BranchList& previous) {
  if (specs.empty() || specs.size() > kMaxBranches) return refusal(EINVAL, "number of branches");
  BranchList list;
  for (const BranchSpec& spec : specs) {
    Result<BranchPointer> branch = openBranch(spec);
    if (!branch) return branch.status();
    const bool twice = std::any_of(list.begin(), list.end(), [&](const BranchPointer& known) {
      return sameAs(*known, *branch.value());
    });
    if (twice) return refusal(EINVAL, "the same branch twice");
    list.push_back(reuse(branch.value(), previous));
    if (!list.back()->writable() || list.back()->work) continue;
    if (Status prepared = prepareWritable(*list.back()); !prepared) return prepared;
  }
  return list;
}

}  // namespace teu::unionfs
