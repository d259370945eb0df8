#include "graft/remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "sys/unique_fd.h"

namespace teu::graft {
namespace {

using tree::failureAt;
using tree::Outcome;

constexpr const char* kStep = "remove";
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct CloseStream {
  void operator()(DIR* stream) const noexcept { closedir(stream); }
};

/// Goes down and up with one descriptor, so any depth will do.
class Removal {
 public:
  explicit Removal(const std::string& path) : path_(path) {}

  Outcome run(int directory, const char* name) {
    fd_.reset(openat(directory, ".", kOpenDirectory));
    if (!fd_) return failureAt("openat", kStep, path_, errno);
    bool entered = false;
    if (Outcome done = removeOrEnter(name, entered); !done || !entered) return done;
    while (!levels_.empty()) {
      std::vector<std::string>& names = levels_.back().names;
      if (names.empty()) {
        if (Outcome left = leave(); !left) return left;
        continue;
      }
      const std::string next = std::move(names.back());
      names.pop_back();
      if (Outcome done = removeOrEnter(next.c_str(), entered); !done) return done;
    }
    return {};
  }

 private:
  struct Level {
    std::string name{};                ///< in the directory above
    std::vector<std::string> names{};  ///< that are left to remove
  };

  Outcome removeOrEnter(const char* name, bool& entered) {
    entered = false;
    if (unlinkat(fd_.get(), name, 0) == 0 || errno == ENOENT) return {};
    // POSIX has EPERM for a directory, Linux EISDIR.
    if (errno != EISDIR && errno != EPERM) return failureAt("unlinkat", kStep, path_, errno);
    const int refusal = errno;
    UniqueFd fd(openat(fd_.get(), name, kOpenDirectory));
    if (!fd) return failureAt("unlinkat", kStep, path_, refusal);
    fd_ = std::move(fd);
    levels_.push_back({.name = name});
    entered = true;
    return list(levels_.back().names);
  }

  Outcome list(std::vector<std::string>& names) {
    UniqueFd fd(openat(fd_.get(), ".", kOpenDirectory));
    if (!fd) return failureAt("openat", kStep, path_, errno);
    const std::unique_ptr<DIR, CloseStream> stream(fdopendir(fd.get()));
    if (stream == nullptr) return failureAt("fdopendir", kStep, path_, errno);
    (void)fd.release();
    errno = 0;
    while (const dirent* item = readdir(stream.get())) {
      const std::string_view name = item->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    return errno == 0 ? Outcome{} : failureAt("readdir", kStep, path_, errno);
  }

  Outcome leave() {
    UniqueFd above(openat(fd_.get(), "..", kOpenDirectory));
    if (!above) return failureAt("openat", kStep, path_, errno);
    fd_ = std::move(above);
    const std::string name = std::move(levels_.back().name);
    levels_.pop_back();
    if (unlinkat(fd_.get(), name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    return failureAt("unlinkat", kStep, path_, errno);
  }

  const std::string& path_;
  UniqueFd fd_;
  std::vector<Level> levels_;
};

}  // namespace

Outcome removeTree(int directory, const char* name, const std::string& path) {
  return Removal(path).run(directory, name);
}

}  // namespace teu::graft
