#include "union/merge.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "union/directory_reader.h"
#include "union/metadata.h"
#include "union/names.h"
#include "union/removal.h"

namespace teu::unionfs {
namespace {

constexpr std::size_t kMaxPaths = 100;
constexpr mode_t kMarkMode = 0444;

Result<UniqueFd> openDirectory(int parent, const char* name) {
  return opened(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "openat");
}

bool exists(int directory, const char* name) {
  return faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Status removeIfThere(int directory, const char* name) {
  if (unlinkat(directory, name, 0) == 0 || errno == ENOENT) return {};
  return lastFailure("unlinkat", "merge");
}

Status makeMark(int directory) {
  const int flags = O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
  return opened(openat(directory, kOpaqueMark, flags, kMarkMode), "openat").status();
}

/// rename(2), which does nothing if both are names of one file.
Status moveOver(int from, const char* name, int to) {
  if (renameat(from, name, to, name) < 0) return lastFailure("renameat", "merge");
  return removeIfThere(from, name);
}

/// Names of a directory: whiteouts first, because they are about what was there before.
struct Names {
  std::vector<std::string> hidden{};
  std::vector<std::string> shown{};
};

Result<Names> namesOf(int directory) {
  Names names;
  Status read = forEachName(directory, [&](const DirectoryEntry& entry) -> Status {
    const std::string_view name = entry.name;
    if (isMark(name)) return {};
    if (isReserved(name)) {
      names.hidden.emplace_back(name.substr(kWhiteoutPrefix.size()));
    } else {
      names.shown.emplace_back(name);
    }
    return {};
  });
  if (!read) return read;
  return names;
}

class Merge {
 public:
  Merge(bool lowest, MergeReport& report) : lowest_(lowest), report_(report) {}

  /// Merges two directories; the upper one is empty afterwards, but for the marks of a root.
  Status directories(int upper, int lower, const std::string& path);

 private:
  Status replaceIfOpaque(int upper, int lower);
  Status whiteout(int upper, int lower, const std::string& name, const std::string& path);
  Status entry(int upper, int lower, const std::string& name, const std::string& path);
  Status file(int upper, int lower, const std::string& name, const struct stat* below);
  Status directory(int upper, int lower, const std::string& name, const std::string& path,
                   const struct stat* below);
  Status moveDirectory(int upper, int lower, const std::string& name, const std::string& path,
                       bool covers);
  Status prepareTree(int directory, const std::string& path);

  bool lowest_;
  MergeReport& report_;
};

/// The mark goes before anything is moved in, so that a second run does not empty it again.
Status Merge::replaceIfOpaque(int upper, int lower) {
  if (!exists(upper, kOpaqueMark)) return {};
  if (Status emptied = removeContents(lower); !emptied) return emptied;
  if (!lowest_) {
    if (Status marked = makeMark(lower); !marked) return marked;
  }
  return removeIfThere(upper, kOpaqueMark);
}

Status Merge::whiteout(int upper, int lower, const std::string& name, const std::string& path) {
  if (exists(lower, name.c_str())) {
    if (Status removed = removeTree(lower, name.c_str()); !removed) return removed;
    report_.add(path);
  }
  const std::string mark = whiteoutOf(name);
  if (!lowest_) return moveOver(upper, mark.c_str(), lower);
  if (Status removed = removeIfThere(lower, mark.c_str()); !removed) return removed;
  return removeIfThere(upper, mark.c_str());
}

Status Merge::file(int upper, int lower, const std::string& name, const struct stat* below) {
  if (below != nullptr && S_ISDIR(below->st_mode)) {
    if (Status removed = removeTree(lower, name.c_str()); !removed) return removed;
  }
  if (Status moved = moveOver(upper, name.c_str(), lower); !moved) return moved;
  if (name.size() > kMaxName) return {};
  // A file hides what is below as well.
  return removeIfThere(lower, whiteoutOf(name).c_str());
}

/// Counts a tree that is moved as a whole, and takes whiteouts out of it that would hide nothing.
Status Merge::prepareTree(int directory, const std::string& path) {
  Result<Names> names = namesOf(directory);
  if (!names) return names.status();
  if (lowest_) {
    if (Status removed = removeIfThere(directory, kOpaqueMark); !removed) return removed;
    for (const std::string& name : names.value().hidden) {
      const Status removed = removeIfThere(directory, whiteoutOf(name).c_str());
      if (!removed) return removed;
    }
  }
  for (const std::string& name : names.value().shown) {
    const std::string below = path + '/' + name;
    report_.add(below);
    Result<UniqueFd> child = openDirectory(directory, name.c_str());
    if (!child) continue;
    if (Status prepared = prepareTree(child.value().get(), below); !prepared) return prepared;
  }
  return {};
}

Status Merge::moveDirectory(int upper, int lower, const std::string& name, const std::string& path,
                            bool covers) {
  Result<UniqueFd> moved = openDirectory(upper, name.c_str());
  if (!moved) return moved.status();
  struct stat info;
  if (fstat(moved.value().get(), &info) < 0) return lastFailure("fstat", "merge");
  if (Status prepared = prepareTree(moved.value().get(), path); !prepared) return prepared;
  if (covers && !lowest_) {
    if (Status marked = makeMark(moved.value().get()); !marked) return marked;
  }
  if (Status timed = setTimes(moved.value().get(), info); !timed) return timed;
  if (Status removed = removeIfThere(lower, name.c_str()); !removed) return removed;
  if (renameat2(upper, name.c_str(), lower, name.c_str(), RENAME_NOREPLACE) < 0) {
    return lastFailure("renameat2", "merge");
  }
  report_.add(path);
  if (name.size() > kMaxName) return {};
  return removeIfThere(lower, whiteoutOf(name).c_str());
}

Status Merge::directory(int upper, int lower, const std::string& name, const std::string& path,
                        const struct stat* below) {
  if (below == nullptr || !S_ISDIR(below->st_mode)) {
    const bool hidden = name.size() <= kMaxName && exists(lower, whiteoutOf(name).c_str());
    return moveDirectory(upper, lower, name, path, hidden || below != nullptr);
  }
  Result<UniqueFd> from = openDirectory(upper, name.c_str());
  if (!from) return from.status();
  Result<UniqueFd> to = openDirectory(lower, name.c_str());
  if (!to) return to.status();
  if (Status merged = directories(from.value().get(), to.value().get(), path); !merged) {
    return merged;
  }
  return checked(unlinkat(upper, name.c_str(), AT_REMOVEDIR), "unlinkat").during("merge");
}

Status Merge::entry(int upper, int lower, const std::string& name, const std::string& path) {
  struct stat info;
  struct stat below;
  if (fstatat(upper, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0) {
    return lastFailure("fstatat", "merge");
  }
  const bool found = fstatat(lower, name.c_str(), &below, AT_SYMLINK_NOFOLLOW) == 0;
  if (!found && errno != ENOENT) return lastFailure("fstatat", "merge");
  if (S_ISDIR(info.st_mode)) return directory(upper, lower, name, path, found ? &below : nullptr);
  report_.add(path);
  return file(upper, lower, name, found ? &below : nullptr);
}

Status Merge::directories(int upper, int lower, const std::string& path) {
  struct stat info;
  struct stat below;
  if (fstat(upper, &info) < 0 || fstat(lower, &below) < 0) return lastFailure("fstat", "merge");
  const bool differs =
      info.st_mode != below.st_mode || info.st_uid != below.st_uid || info.st_gid != below.st_gid;
  if (differs) report_.add(path.empty() ? "/" : path);
  if (Status replaced = replaceIfOpaque(upper, lower); !replaced) return replaced;
  if (Status dropped = dropOtherAttributes(upper, lower); !dropped) return dropped;
  Result<Names> names = namesOf(upper);
  if (!names) return names.status();
  for (const std::string& name : names.value().hidden) {
    if (Status done = whiteout(upper, lower, name, path + '/' + name); !done) return done;
  }
  for (const std::string& name : names.value().shown) {
    if (Status done = entry(upper, lower, name, path + '/' + name); !done) return done;
  }
  // Last, because what was moved has changed the times, of the upper one too: it keeps those it
  // has to give until then.
  if (Status copied = copyMetadata(upper, lower, info); !copied) return copied;
  return setTimes(upper, info);
}

}  // namespace

void MergeReport::add(const std::string& path) {
  ++changed;
  if (paths.size() < kMaxPaths) paths.push_back(path);
}

Status mergeBranch(const std::string& upper, const std::string& lower, bool lowest,
                   MergeReport& report) {
  Result<UniqueFd> from = openDirectory(AT_FDCWD, upper.c_str());
  if (!from) return from.status().during("open the upper branch");
  Result<UniqueFd> to = openDirectory(AT_FDCWD, lower.c_str());
  if (!to) return to.status().during("open the lower branch");
  struct stat one;
  struct stat other;
  if (fstat(from.value().get(), &one) < 0 || fstat(to.value().get(), &other) < 0) {
    return lastFailure("fstat", "merge");
  }
  if (one.st_dev != other.st_dev) return refusal(EXDEV, "different file systems");
  if (one.st_ino == other.st_ino) return refusal(EINVAL, "a branch into itself");
  Merge merge(lowest, report);
  if (Status done = merge.directories(from.value().get(), to.value().get(), ""); !done) return done;
  for (const char* own : {kWhiteoutBase, kPseudoLinks, kWorkPlace}) {
    if (Status removed = removeTree(from.value().get(), own); !removed) return removed;
  }
  return {};
}

}  // namespace teu::unionfs
