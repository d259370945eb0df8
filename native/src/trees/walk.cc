#include "trees/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>

namespace teu::trees {
namespace {

constexpr const char* kStep = "walk the tree";
/// What is put behind a name that is to be gone into. No name has a slash, so it sorts where the
/// paths below it do.
constexpr const char* kIntoBoth = "/";
constexpr const char* kIntoChanged = "//";

struct CloseStream {
  void operator()(DIR* stream) const noexcept { closedir(stream); }
};

Outcome addNames(const Position& position, const std::string& path,
                 std::vector<std::string>& names) {
  UniqueFd fd(openat(position.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return failureAt("openat", kStep, path, errno);
  const std::unique_ptr<DIR, CloseStream> stream(fdopendir(fd.get()));
  if (stream == nullptr) return failureAt("fdopendir", kStep, path, errno);
  (void)fd.release();
  errno = 0;
  while (const dirent* item = readdir(stream.get())) {
    const std::string_view name = item->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return errno == 0 ? Outcome{} : failureAt("readdir", kStep, path, errno);
}

class Walk {
 public:
  Walk(Position& old, Position& changed, Visitor& visitor)
      : old_(old), changed_(changed), visitor_(visitor) {}

  Outcome run() {
    path_ = "/";
    bool isDirectory = false;
    bool inBoth = false;
    if (Outcome seen = visit(".", 0, isDirectory, inBoth); !seen) return seen;
    path_.clear();
    if (Outcome begun = begin("."); !begun) return begun;
    while (!levels_.empty()) {
      if (Outcome done = levels_.back().names.empty() ? leave() : next(); !done) return done;
    }
    return {};
  }

 private:
  /// A directory that the walk is in.
  struct Level {
    std::size_t pathLength = 0;
    std::vector<std::string> names{};  ///< in reverse order; those that were visited are gone
  };

  std::size_t depth() const noexcept { return levels_.size() - 1; }
  std::string shownPath() const { return path_.empty() ? "/" : path_; }

  Outcome next() {
    Level& level = levels_.back();
    std::string name = std::move(level.names.back());
    level.names.pop_back();
    path_.resize(level.pathLength);
    path_ += '/';
    if (name.ends_with('/')) return descend(name);
    path_ += name;
    bool isDirectory = false;
    bool inBoth = false;
    if (Outcome seen = visit(name.c_str(), depth(), isDirectory, inBoth); !seen) return seen;
    if (isDirectory) {
      name += inBoth ? kIntoBoth : kIntoChanged;
      const auto place =
          std::lower_bound(level.names.begin(), level.names.end(), name, std::greater<>());
      level.names.insert(place, std::move(name));
    }
    return {};
  }

  Outcome visit(const char* name, std::size_t depth, bool& isDirectory, bool& inBoth) {
    struct statx old {};
    struct statx changed {};
    bool inOld = false;
    bool inChanged = false;
    if (old_.isAt(depth)) {
      if (Outcome looked = old_.lookAt(name, path_, old, inOld); !looked) return looked;
    }
    if (Outcome looked = changed_.lookAt(name, path_, changed, inChanged); !looked) return looked;
    // It vanished since the names were read.
    if (!inOld && !inChanged) return {};
    isDirectory = inChanged && S_ISDIR(changed.stx_mode);
    inBoth = isDirectory && inOld && S_ISDIR(old.stx_mode);
    return visitor_.visit({.path = path_,
                           .name = name,
                           .depth = depth,
                           .old = inOld ? &old : nullptr,
                           .changed = inChanged ? &changed : nullptr});
  }

  /// `key` is a name with one of the marks above.
  Outcome descend(std::string& key) {
    const bool both = !key.ends_with(kIntoChanged);
    key.resize(key.find('/'));
    path_ += key;
    bool entered = false;
    if (both && old_.isAt(depth())) {
      if (Outcome gone = old_.enter(key.c_str(), path_, entered); !gone) return gone;
    }
    if (Outcome gone = changed_.enter(key.c_str(), path_, entered); !gone) return gone;
    if (!entered) return failureAt("openat", kStep, path_, ENOENT);
    return begin(key.c_str());
  }

  Outcome begin(const char* name) {
    levels_.push_back({.pathLength = path_.size()});
    std::vector<std::string>& names = levels_.back().names;
    if (old_.isAt(depth())) {
      if (Outcome read = addNames(old_, path_, names); !read) return read;
    }
    if (Outcome read = addNames(changed_, path_, names); !read) return read;
    std::sort(names.begin(), names.end(), std::greater<>());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return visitor_.entered(name, depth(), shownPath());
  }

  Outcome leave() {
    path_.resize(levels_.back().pathLength);
    if (Outcome left = visitor_.leaving(depth(), shownPath()); !left) return left;
    if (depth() > 0) {
      if (old_.isAt(depth())) {
        if (Outcome gone = old_.leave(path_); !gone) return gone;
      }
      if (Outcome gone = changed_.leave(path_); !gone) return gone;
    }
    levels_.pop_back();
    return {};
  }

  Position& old_;
  Position& changed_;
  Visitor& visitor_;
  std::string path_;
  std::vector<Level> levels_;
};

}  // namespace

Outcome walkBoth(Position& old, Position& changed, Visitor& visitor) {
  return Walk(old, changed, visitor).run();
}

}  // namespace teu::trees
