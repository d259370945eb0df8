#include "union/removal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "union/directory_reader.h"

namespace teu::unionfs {
namespace {

/// Moves what is in a directory of `top` up into `top`, under names of our own, so that trees of
/// any depth are removed with two open directories.
class TreeRemover {
 public:
  explicit TreeRemover(int top) : top_(top) {}

  Status remove(int parent, const char* name) {
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR && errno != EPERM) return lastFailure("unlinkat");
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0) return {};
    if (errno != ENOTEMPTY && errno != EEXIST) return lastFailure("unlinkat");
    if (Status emptied = flatten(parent, name); !emptied) return emptied;
    return checked(unlinkat(parent, name, AT_REMOVEDIR), "unlinkat");
  }

 private:
  Status flatten(int parent, const char* name) {
    Result<UniqueFd> directory =
        opened(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "openat");
    if (!directory) return directory.status();
    const int fd = directory.value().get();
    return forEachName(fd, [&](const DirectoryEntry& entry) -> Status {
      if (unlinkat(fd, entry.name, 0) == 0 || errno == ENOENT) return {};
      if (unlinkat(fd, entry.name, AT_REMOVEDIR) == 0) return {};
      return moveUp(fd, entry.name);
    });
  }

  Status moveUp(int directory, const char* name) {
    for (;;) {
      const std::string moved = "flat" + std::to_string(next_++);
      if (renameat2(directory, name, top_, moved.c_str(), RENAME_NOREPLACE) == 0) return {};
      if (errno != EEXIST) return lastFailure("renameat2");
    }
  }

  int top_;
  unsigned next_ = 0;
};

Status removeAll(int directory, TreeRemover& remover) {
  for (;;) {
    std::vector<std::string> names;
    Status read = forEachName(directory, [&](const DirectoryEntry& entry) -> Status {
      names.emplace_back(entry.name);
      return {};
    });
    if (!read) return read;
    if (names.empty()) return {};
    for (const std::string& name : names) {
      if (Status removed = remover.remove(directory, name.c_str()); !removed) return removed;
    }
  }
}

}  // namespace

Status removeContents(int directory) {
  TreeRemover remover(directory);
  return removeAll(directory, remover);
}

Status removeTree(int parent, const char* name) {
  if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return {};
  Result<UniqueFd> directory =
      opened(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "openat");
  if (!directory) return directory.status();
  if (Status emptied = removeContents(directory.value().get()); !emptied) return emptied;
  return checked(unlinkat(parent, name, AT_REMOVEDIR), "unlinkat");
}

}  // namespace teu::unionfs
