#include "tree/tree_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "sys/unique_fd.h"

namespace teu::tree {
namespace {

constexpr const char* kStep = "walk the tree";
constexpr unsigned kWanted = STATX_BASIC_STATS | STATX_MNT_ID;
constexpr int kLookAt = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct CloseStream {
  void operator()(DIR* stream) const noexcept { closedir(stream); }
};
using Stream = std::unique_ptr<DIR, CloseStream>;

/// A directory that the walk is in.
struct Level {
  std::uint64_t inode = 0;
  unsigned major = 0;
  unsigned minor = 0;
  std::size_t pathLength = 0;
  std::vector<std::string> names;  ///< in reverse order; those that were visited are gone
};

bool sameObject(const Level& level, const struct statx& info) {
  return level.inode == info.stx_ino && level.major == info.stx_dev_major &&
         level.minor == info.stx_dev_minor;
}

/// Reading without leaving a trace is for the owner of a file and for root.
int openDirectory(const char* name) {
  const int fd = openat(AT_FDCWD, name, kOpenDirectory | O_NOATIME);
  return fd >= 0 || errno != EPERM ? fd : openat(AT_FDCWD, name, kOpenDirectory);
}

bool readNames(DIR* stream, std::vector<std::string>& names) {
  errno = 0;
  while (const dirent* item = readdir(stream)) {
    const std::string_view name = item->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  const bool whole = errno == 0;
  const int number = errno;
  std::sort(names.begin(), names.end(), std::greater<>());
  errno = number;
  return whole;
}

class Walk {
 public:
  explicit Walk(TreeVisitor& visitor) : visitor_(visitor) {}

  Outcome run(const char* root) {
    if (chdir(root) != 0) return failureAt("chdir", kStep, ".", errno);
    if (statx(AT_FDCWD, ".", kLookAt, kWanted, &root_) != 0) {
      return failureAt("statx", kStep, ".", errno);
    }
    path_ = ".";
    if (Outcome done = visit(".", root_); !done) return done;
    while (!levels_.empty()) {
      Outcome done = levels_.back().names.empty() ? leave() : next();
      if (!done) return done;
    }
    return {};
  }

 private:
  Outcome next() {
    Level& level = levels_.back();
    const std::string name = std::move(level.names.back());
    level.names.pop_back();
    path_.resize(level.pathLength);
    if (level.pathLength > 0) path_ += '/';
    path_ += name;
    struct statx info {};
    if (statx(AT_FDCWD, name.c_str(), kLookAt, kWanted, &info) != 0) {
      return visitor_.unreadable(path_, "statx", errno);
    }
    const bool mounted = (info.stx_mask & STATX_MNT_ID) != 0 && info.stx_mnt_id != root_.stx_mnt_id;
    return mounted ? visitor_.unreadable(path_, "statx", EXDEV) : visit(name.c_str(), info);
  }

  Outcome visit(const char* name, const struct statx& info) {
    bool enter = S_ISDIR(info.stx_mode) && info.stx_dev_major == root_.stx_dev_major &&
                 info.stx_dev_minor == root_.stx_dev_minor;
    if (Outcome seen = visitor_.visit(Visited{path_, name, info}, enter); !seen) return seen;
    return enter ? this->enter(name) : Outcome{};
  }

  Outcome enter(const char* name) {
    UniqueFd fd(openDirectory(name));
    if (!fd) return visitor_.unreadable(path_, "openat", errno);
    struct statx info {};
    if (statx(fd.get(), "", AT_EMPTY_PATH, kWanted, &info) != 0) {
      return failureAt("statx", kStep, path_, errno);
    }
    Level level{.inode = info.stx_ino,
                .major = info.stx_dev_major,
                .minor = info.stx_dev_minor,
                .pathLength = levels_.empty() ? 0 : path_.size(),
                .names = {}};
    const Stream stream(fdopendir(fd.get()));
    if (stream == nullptr) return failureAt("fdopendir", kStep, path_, errno);
    (void)fd.release();
    const bool whole = readNames(stream.get(), level.names);
    if (!whole) {
      level.names.clear();
      if (Outcome seen = visitor_.unreadable(path_, "readdir", errno); !seen) return seen;
    }
    if (fchdir(dirfd(stream.get())) != 0) return failureAt("fchdir", kStep, path_, errno);
    levels_.push_back(std::move(level));
    return {};
  }

  Outcome leave() {
    levels_.pop_back();
    if (levels_.empty()) return {};
    struct statx info {};
    if (chdir("..") != 0 || statx(AT_FDCWD, ".", kLookAt, kWanted, &info) != 0) {
      return failureAt("chdir", kStep, path_, errno);
    }
    if (sameObject(levels_.back(), info)) return {};
    path_.resize(levels_.back().pathLength);
    return Outcome(Failure{.code = code::kMoved,
                           .message = "the directory was moved away while it was read",
                           .step = kStep,
                           .entry = path_});
  }

  TreeVisitor& visitor_;
  struct statx root_ {};
  std::string path_;
  std::vector<Level> levels_;
};

}  // namespace

Outcome walkTree(const char* root, TreeVisitor& visitor) {
  return Walk(visitor).run(root);
}

}  // namespace teu::tree
