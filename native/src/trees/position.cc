#include "trees/position.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

namespace teu::trees {
namespace {

constexpr const char* kStep = "walk the tree";
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

}  // namespace

Outcome Position::placeOf(int fd, const std::string& path, Place& place) {
  struct statx info {};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_INO, &info) != 0) {
    return failureAt("statx", kStep, path, errno);
  }
  place = {.inode = info.stx_ino, .major = info.stx_dev_major, .minor = info.stx_dev_minor};
  return {};
}

Outcome Position::openRoot(const char* directory) {
  fd_.reset(open(directory, kOpenDirectory));
  if (!fd_) return failureAt("openat", kStep, "/", errno);
  return placeOf(fd_.get(), "/", here_);
}

Outcome Position::stand(const std::string& path) const {
  return fchdir(fd_.get()) == 0 ? Outcome{} : failureAt("fchdir", kStep, path, errno);
}

Outcome Position::lookAt(const char* name, const std::string& path, struct statx& info,
                         bool& there) const {
  constexpr int kLookAt = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
  there = statx(fd_.get(), name, kLookAt, STATX_BASIC_STATS, &info) == 0;
  return there || errno == ENOENT ? Outcome{} : failureAt("statx", kStep, path, errno);
}

Outcome Position::enter(const char* name, const std::string& path, bool& entered) {
  UniqueFd fd(openat(fd_.get(), name, kOpenDirectory));
  entered = static_cast<bool>(fd);
  if (!entered) {
    const bool isNone = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
    return isNone ? Outcome{} : failureAt("openat", kStep, path, errno);
  }
  above_.push_back(here_);
  fd_ = std::move(fd);
  return placeOf(fd_.get(), path, here_);
}

Outcome Position::leave(const std::string& path) {
  UniqueFd fd(openat(fd_.get(), "..", kOpenDirectory));
  if (!fd) return failureAt("openat", kStep, path, errno);
  Place place;
  if (Outcome looked = placeOf(fd.get(), path, place); !looked) return looked;
  if (place != above_.back()) {
    return Outcome(tree::Failure{.code = tree::code::kMoved,
                                 .message = "the directory was moved away while it was read",
                                 .step = kStep,
                                 .entry = path});
  }
  fd_ = std::move(fd);
  here_ = place;
  above_.pop_back();
  return {};
}

}  // namespace teu::trees
