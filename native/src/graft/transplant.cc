#include "graft/transplant.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "graft/entry_writer.h"
#include "graft/names.h"
#include "graft/remove_tree.h"

namespace teu::graft {
namespace {

constexpr const char* kStep = "transplant";
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// The components of "/a/b/c".
std::vector<std::string> splitPath(const std::string& path) {
  std::vector<std::string> names;
  for (std::size_t at = 1; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    names.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

bool sameTime(const struct statx_timestamp& one, const struct statx_timestamp& other) {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

class Transplant final : public Visitor {
 public:
  Transplant(const Position& old, const Position& changed, Position& target, int root,
             bool descends)
      : old_(old),
        changed_(changed),
        target_(target),
        writer_(changed, target, root),
        descends_(descends) {}

  std::uint64_t changedCount() const noexcept { return changedCount_; }

  Outcome visit(const Pair& pair) override {
    Difference difference;
    Outcome found = findDifference(pair, old_, changed_, descends_, difference);
    if (!found) return found;
    switch (difference.kind) {
      case Kind::kNone:
        return {};
      case Kind::kRemoved:
        return remove(pair);
      case Kind::kAdded:
      case Kind::kContent:
        return copy(pair);
      case Kind::kAttributes:
        return describe(pair, difference);
    }
    return {};
  }

  Outcome entered(const char* name, std::size_t depth, const std::string& path) override {
    levels_.emplace_back();
    bool entered = depth == 0;
    if (depth > 0 && target_.isAt(depth - 1)) {
      if (Outcome gone = target_.enter(name, path, entered); !gone) return gone;
    }
    return entered ? chooseTime(depth, path) : Outcome{};
  }

  Outcome leaving(std::size_t depth, const std::string& path) override {
    const Level level = levels_.back();
    levels_.pop_back();
    if (!target_.isAt(depth)) return {};
    const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, level.time};
    if ((level.touched || level.isOther) && futimens(target_.fd(), times) != 0) {
      return failureAt("utimensat", kStep, path, errno);
    }
    return depth == 0 ? Outcome{} : target_.leave(path);
  }

 private:
  /// A directory that the walk is in.
  struct Level {
    bool touched = false;  ///< something was made or removed in it
    bool isOther = false;  ///< it must have another time than it has
    timespec time{};       ///< that it has to have in the end
  };

  /// A directory gets the time of the changed tree if it has one of its own there; otherwise it
  /// keeps its time, whatever is done in it.
  Outcome chooseTime(std::size_t depth, const std::string& path) {
    struct statx target {};
    struct statx changed {};
    struct statx old {};
    bool there = false;
    if (Outcome looked = target_.lookAt(".", path, target, there); !looked) return looked;
    if (Outcome looked = changed_.lookAt(".", path, changed, there); !looked) return looked;
    bool isOwn = !old_.isAt(depth);
    if (!isOwn) {
      if (Outcome looked = old_.lookAt(".", path, old, there); !looked) return looked;
      isOwn = !sameTime(old.stx_mtime, changed.stx_mtime);
    }
    const struct statx_timestamp& time = isOwn ? changed.stx_mtime : target.stx_mtime;
    levels_[depth].time = {.tv_sec = time.tv_sec, .tv_nsec = time.tv_nsec};
    levels_[depth].isOther = !sameTime(time, target.stx_mtime);
    return {};
  }

  void touch(std::size_t depth) {
    // The root has no directory above it, and is visited before it is entered.
    if (depth < levels_.size()) levels_[depth].touched = true;
    changedCount_ += 1;
  }

  Outcome remove(const Pair& pair) {
    if (!target_.isAt(pair.depth)) return {};
    struct statx info {};
    bool there = false;
    if (Outcome looked = target_.lookAt(pair.name, pair.path, info, there); !looked) return looked;
    if (!there) return {};
    touch(pair.depth);
    return removeTree(target_.fd(), pair.name, pair.path);
  }

  Outcome copy(const Pair& pair) {
    if (Outcome made = makeParents(pair); !made) return made;
    touch(pair.depth);
    return writer_.copy(pair.name, pair.path, *pair.changed);
  }

  Outcome describe(const Pair& pair, const Difference& difference) {
    struct statx info {};
    bool there = false;
    if (target_.isAt(pair.depth)) {
      if (Outcome looked = target_.lookAt(pair.name, pair.path, info, there); !looked) {
        return looked;
      }
    }
    if (!there || (info.stx_mode & S_IFMT) != (pair.changed->stx_mode & S_IFMT)) return copy(pair);
    bool isChanged = false;
    Outcome done = writer_.applyAttributes(pair, difference, info, isChanged);
    if (done && isChanged) touch(pair.depth);
    return done;
  }

  /// Makes the directories that the target does not have on the way to a name, like those of the
  /// changed tree.
  Outcome makeParents(const Pair& pair) {
    if (target_.isAt(pair.depth)) return {};
    const std::vector<std::string> names = splitPath(pair.path);
    UniqueFd source;
    if (Outcome opened = openAbove(pair.depth - target_.depth() - 1, pair.path, source); !opened) {
      return opened;
    }
    for (std::size_t depth = target_.depth(); depth < pair.depth; ++depth) {
      const char* name = names[depth].c_str();
      if (Outcome made = writer_.copyDirectory(source.get(), name, pair.path); !made) return made;
      touch(depth);
      bool entered = false;
      if (Outcome gone = target_.enter(name, pair.path, entered); !gone) return gone;
      if (Outcome chosen = keepTime(source.get(), depth + 1, pair.path); !chosen) return chosen;
      if (depth + 1 == pair.depth) break;
      source.reset(openat(source.get(), names[depth + 1].c_str(), kOpenDirectory));
      if (!source) return failureAt("openat", kStep, pair.path, errno);
    }
    return {};
  }

  Outcome keepTime(int source, std::size_t depth, const std::string& path) {
    struct statx info {};
    if (statx(source, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &info) != 0) {
      return failureAt("statx", kStep, path, errno);
    }
    levels_[depth].time = {.tv_sec = info.stx_mtime.tv_sec, .tv_nsec = info.stx_mtime.tv_nsec};
    levels_[depth].touched = true;
    return {};
  }

  /// Opens the directory of the changed tree that is so many levels above where the walk stands.
  Outcome openAbove(std::size_t levels, const std::string& path, UniqueFd& fd) const {
    fd.reset(openat(changed_.fd(), ".", kOpenDirectory));
    for (; fd && levels > 0; levels -= 1) {
      UniqueFd above(openat(fd.get(), "..", kOpenDirectory));
      fd = std::move(above);
    }
    return fd ? Outcome{} : failureAt("openat", kStep, path, errno);
  }

  const Position& old_;
  const Position& changed_;
  Position& target_;
  EntryWriter writer_;
  const bool descends_;
  std::uint64_t changedCount_ = 0;
  std::vector<Level> levels_;
};

}  // namespace

Outcome transplant(Position& old, Position& changed, Position& target, bool descends,
                   std::uint64_t& changedCount) {
  const UniqueFd root(openat(target.fd(), ".", kOpenDirectory));
  if (!root) return failureAt("openat", kStep, "/", errno);
  Transplant work(old, changed, target, root.get(), descends);
  if (Outcome walked = walkBoth(old, changed, work); !walked) return walked;
  // Whoever is told that it is done may rely on it after a power cut.
  if (syncfs(root.get()) != 0) return failureAt("syncfs", "sync", "/", errno);
  changedCount = work.changedCount();
  return {};
}

}  // namespace teu::graft
