// What a branch changes of those below it, without doing it.
#include <fcntl.h>
#include <unistd.h>

#include "union/directory_reader.h"
#include "union/merge.h"
#include "union/names.h"
#include "union/tree.h"

namespace teu::unionfs {
namespace {

class Changes {
 public:
  Changes(Tree& below, MergeReport& report) : below_(below), report_(report) {}

  /// `view`: what the branches below show of the directory, or null.
  Status list(int directory, const View* view, const std::string& path) {
    const bool opaque = faccessat(directory, kOpaqueMark, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    if (opaque && view != nullptr) report_.add(path.empty() ? "/" : path);
    if (opaque) view = nullptr;
    return forEachName(directory, [&](const DirectoryEntry& entry) -> Status {
      const std::string_view name = entry.name;
      if (isMark(name)) return {};
      if (!isReserved(name)) return entryOf(directory, view, entry.name, path);
      const std::string hidden(name.substr(kWhiteoutPrefix.size()));
      const bool hides = view != nullptr && below_.find(*view, hidden.c_str());
      if (hides) report_.add(path + '/' + hidden);
      return {};
    });
  }

 private:
  Status entryOf(int directory, const View* view, const char* name, const std::string& path) {
    const std::string here = path + '/' + name;
    Result<UniqueFd> child =
        opened(openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "openat");
    if (!child) {
      report_.add(here);
      return {};
    }
    Result<ViewPointer> lower = view == nullptr ? Result<ViewPointer>(refusal(ENOENT, "nothing"))
                                                : below_.viewBelow(*view, name);
    struct stat info;
    struct stat other;
    if (fstat(child.value().get(), &info) < 0) return lastFailure("fstat");
    const bool same = lower && fstat(lower.value()->parts.front().fd.get(), &other) == 0 &&
                      info.st_mode == other.st_mode && info.st_uid == other.st_uid &&
                      info.st_gid == other.st_gid;
    if (!same) report_.add(here);
    return list(child.value().get(), lower ? lower.value().get() : nullptr, here);
  }

  Tree& below_;
  MergeReport& report_;
};

}  // namespace

Status listChanges(const std::string& upper, const std::vector<std::string>& lower,
                   MergeReport& report) {
  Result<BranchPointer> branch = openBranch({.path = upper});
  if (!branch) return branch.status();
  std::vector<BranchSpec> specs;
  for (const std::string& path : lower) {
    specs.push_back({.path = path, .permission = Permission::kReadOnlyWhiteouts});
  }
  Result<BranchList> branches = openBranches(specs, {});
  if (!branches) return branches.status();
  Tree tree(std::move(branches.value()));
  Result<ViewPointer> view = tree.viewOf(tree.nodes.root());
  if (!view) return view.status();
  return Changes(tree, report).list(branch.value()->root.get(), view.value().get(), "");
}

}  // namespace teu::unionfs
