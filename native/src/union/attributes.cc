// Attributes, extended ones too.
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "union/filesystem.h"
#include "union/metadata.h"
#include "union/requests.h"

namespace teu::unionfs {
namespace {

constexpr mode_t kModeBits = 07777;
constexpr mode_t kGroupRun = S_ISGID | S_IXGRP;

timespec timeOf(int mask, int set, int now, const timespec& value) {
  if ((mask & now) != 0) return {.tv_sec = 0, .tv_nsec = UTIME_NOW};
  if ((mask & set) != 0) return value;
  return {.tv_sec = 0, .tv_nsec = UTIME_OMIT};
}

Status changeSize(const char* path, off_t size, const fuse_ctx& caller) {
  if (truncate(path, size) < 0) return lastFailure("truncate");
  struct stat info;
  if (caller.uid == 0 || stat(path, &info) < 0) return {};
  mode_t mode = info.st_mode & kModeBits & ~static_cast<mode_t>(S_ISUID);
  if ((mode & kGroupRun) == kGroupRun) mode &= ~static_cast<mode_t>(S_ISGID);
  if (mode == (info.st_mode & kModeBits)) return {};
  return checked(chmod(path, mode), "chmod");
}

Status apply(int fd, const struct stat& wanted, int mask, const fuse_ctx& caller) {
  const std::string path = pathOf(fd);
  if ((mask & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) != 0) {
    const uid_t user = (mask & FUSE_SET_ATTR_UID) != 0 ? wanted.st_uid : static_cast<uid_t>(-1);
    const gid_t group = (mask & FUSE_SET_ATTR_GID) != 0 ? wanted.st_gid : static_cast<gid_t>(-1);
    if (fchownat(fd, "", user, group, AT_EMPTY_PATH) < 0) return lastFailure("fchownat");
  }
  if ((mask & FUSE_SET_ATTR_SIZE) != 0) {
    if (Status cut = changeSize(path.c_str(), wanted.st_size, caller); !cut) return cut;
  }
  // After the owner, whose change takes set-user-ID away.
  if ((mask & FUSE_SET_ATTR_MODE) != 0 && chmod(path.c_str(), wanted.st_mode & kModeBits) < 0) {
    return lastFailure("chmod");
  }
  const timespec times[2] = {
      timeOf(mask, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW, wanted.st_atim),
      timeOf(mask, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW, wanted.st_mtim)};
  if (times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT) return {};
  return checked(utimensat(AT_FDCWD, path.c_str(), times, 0), "utimensat");
}

}  // namespace

Result<struct stat> FileSystem::setAttributes(Node* node, const struct stat& wanted, int mask,
                                              const fuse_ctx& caller) {
  const bool empties = (mask & FUSE_SET_ATTR_SIZE) != 0 && wanted.st_size == 0;
  Result<Node*> raised = writer.raise(node, !empties);
  if (!raised) return raised.status();
  Node* target = raised.value();
  const std::shared_lock shared = tree.look(target);
  Result<UniqueFd> file = tree.openPath(target);
  if (!file) return file.status();
  if (Status done = apply(file.value().get(), wanted, mask, caller); !done) return done;
  return tree.statOf(target);
}

Result<UniqueFd> FileSystem::openForAttributes(Node* node, bool writing) {
  Node* target = node;
  if (writing) {
    Result<Node*> raised = writer.raise(node);
    if (!raised) return raised.status();
    target = raised.value();
  }
  const std::shared_lock shared = tree.look(target);
  return tree.openPath(target->successor != nullptr ? target->successor : target);
}

namespace requests {

void getAttribute(fuse_req_t request, fuse_ino_t id, const char* name, std::size_t size) {
  FileSystem& files = fileSystemOf(request);
  Result<UniqueFd> file = files.openForAttributes(files.node(id), false);
  if (!file) return refuse(request, file.error());
  std::string value(size, '\0');
  const ssize_t got = getxattr(pathOf(file.value().get()).c_str(), name, value.data(), size);
  if (got < 0) return refuse(request, lastFailure("getxattr"));
  const auto length = static_cast<std::size_t>(got);
  if (size == 0) {
    fuse_reply_xattr(request, length);
  } else {
    fuse_reply_buf(request, value.data(), length);
  }
}

void listAttributes(fuse_req_t request, fuse_ino_t id, std::size_t size) {
  FileSystem& files = fileSystemOf(request);
  Result<UniqueFd> file = files.openForAttributes(files.node(id), false);
  if (!file) return refuse(request, file.error());
  std::string list(size, '\0');
  const ssize_t got = listxattr(pathOf(file.value().get()).c_str(), list.data(), size);
  if (got < 0) return refuse(request, lastFailure("listxattr"));
  const auto length = static_cast<std::size_t>(got);
  if (size == 0) {
    fuse_reply_xattr(request, length);
  } else {
    fuse_reply_buf(request, list.data(), length);
  }
}

void setAttribute(fuse_req_t request, fuse_ino_t id, const char* name, const char* value,
                  std::size_t size, int flags) {
  FileSystem& files = fileSystemOf(request);
  Result<UniqueFd> file = files.openForAttributes(files.node(id), true);
  if (!file) return refuse(request, file.error());
  const std::string path = pathOf(file.value().get());
  answer(request, checked(setxattr(path.c_str(), name, value, size, flags), "setxattr"));
}

void removeAttribute(fuse_req_t request, fuse_ino_t id, const char* name) {
  FileSystem& files = fileSystemOf(request);
  Result<UniqueFd> file = files.openForAttributes(files.node(id), true);
  if (!file) return refuse(request, file.error());
  answer(request, checked(removexattr(pathOf(file.value().get()).c_str(), name), "removexattr"));
}

}  // namespace requests
}  // namespace teu::unionfs
