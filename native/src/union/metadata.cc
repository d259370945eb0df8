#include "union/metadata.h"

#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <vector>

namespace teu::unionfs {
namespace {

constexpr const char* kStep = "copy attributes";
constexpr mode_t kModeBits = 07777;

/// What a name list or value has at most (XATTR_LIST_MAX, XATTR_SIZE_MAX).
Result<std::vector<char>> readList(const char* path) {
  ssize_t size = listxattr(path, nullptr, 0);
  std::vector<char> list;
  while (size > 0) {
    list.resize(static_cast<std::size_t>(size));
    size = listxattr(path, list.data(), list.size());
    if (size >= 0) break;
    if (errno != ERANGE) return lastFailure("listxattr", kStep);
    size = listxattr(path, nullptr, 0);
  }
  if (size < 0 && errno != EOPNOTSUPP) return lastFailure("listxattr", kStep);
  list.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return list;
}

Status copyValue(const char* from, const char* to, const char* name) {
  const ssize_t size = getxattr(from, name, nullptr, 0);
  if (size < 0) return errno == ENODATA ? Status() : lastFailure("getxattr", kStep);
  std::vector<char> value(static_cast<std::size_t>(size));
  const ssize_t got = getxattr(from, name, value.data(), value.size());
  if (got < 0) return lastFailure("getxattr", kStep);
  return Status(checked(setxattr(to, name, value.data(), static_cast<std::size_t>(got), 0),
                        "setxattr"))
      .during(kStep);
}

}  // namespace

std::string pathOf(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

Status copyAttributes(int from, int to) {
  const std::string source = pathOf(from);
  const std::string target = pathOf(to);
  Result<std::vector<char>> list = readList(source.c_str());
  if (!list) return list.status();
  const std::vector<char>& names = list.value();
  for (std::size_t at = 0; at < names.size(); at += strlen(&names[at]) + 1) {
    if (Status done = copyValue(source.c_str(), target.c_str(), &names[at]); !done) return done;
  }
  return {};
}

Status dropOtherAttributes(int from, int to) {
  const std::string source = pathOf(from);
  const std::string target = pathOf(to);
  Result<std::vector<char>> list = readList(target.c_str());
  if (!list) return list.status();
  const std::vector<char>& names = list.value();
  for (std::size_t at = 0; at < names.size(); at += strlen(&names[at]) + 1) {
    const char* name = &names[at];
    if (getxattr(source.c_str(), name, nullptr, 0) >= 0 || errno != ENODATA) continue;
    if (removexattr(target.c_str(), name) < 0) return lastFailure("removexattr", kStep);
  }
  return {};
}

Status setTimes(int fd, const struct stat& info) {
  const timespec times[2] = {info.st_atim, info.st_mtim};
  return checked(utimensat(AT_FDCWD, pathOf(fd).c_str(), times, 0), "utimensat");
}

Status copyMetadata(int from, int to, const struct stat& info) {
  // In this order: a change of owner takes capabilities and set-user-ID away.
  if (fchownat(to, "", info.st_uid, info.st_gid, AT_EMPTY_PATH) < 0) {
    return lastFailure("fchownat", kStep);
  }
  if (Status copied = copyAttributes(from, to); !copied) return copied;
  if (!S_ISLNK(info.st_mode) &&
      fchmodat(AT_FDCWD, pathOf(to).c_str(), info.st_mode & kModeBits, 0) < 0) {
    return lastFailure("fchmodat", kStep);
  }
  return setTimes(to, info).during(kStep);
}

}  // namespace teu::unionfs
