// Open files. All opens of a node share one descriptor, and one backing file in the kernel: it
// refuses any other, and so does what it maps.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "union/filesystem.h"
#include "union/fuse_abi.h"

namespace teu::unionfs {
namespace {

bool writes(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
}

/// The reopening of a file that is open or held already, by /proc/self/fd of the caller.
Result<UniqueFd> reopen(int fd, int flags) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return opened(::open(path.c_str(), flags | O_CLOEXEC), "open");
}

}  // namespace

std::uint32_t FileSystem::openBacking(Branch& branch, int fd) {
  if (!canPassThrough || branch.refusesPassthrough) return 0;
  abi::BackingMap map{.fd = fd};
  const int id = ioctl(device, abi::kBackingOpen, &map);
  if (id > 0) return static_cast<std::uint32_t>(id);
  // The file system of the branch is a stacked one itself; it will always be.
  branch.refusesPassthrough = true;
  return 0;
}

void FileSystem::closeBacking(std::uint32_t id) const {
  if (id != 0) ioctl(device, abi::kBackingClose, &id);
}

/// Set-user-ID and set-group-ID end when somebody but root writes. With passthrough nobody asks us
/// then, so they end when he opens the file for it. (Capabilities end in the backing file.)
void FileSystem::killPrivileges(Node* node, int fd) {
  struct stat info;
  if (fstat(fd, &info) < 0) return;
  const bool group = (info.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
  if ((info.st_mode & S_ISUID) == 0 && !group) return;
  const mode_t lost = S_ISUID | (group ? S_ISGID : 0U);
  (void)fchmod(fd, info.st_mode & 07777 & ~lost);
  notifier.refreshLater(tree.nodes.idOf(node));
}

Result<OpenAnswer> FileSystem::install(Node* node, UniqueFd file, int flags,
                                       std::unique_lock<std::mutex>& table) {
  if (!node->isOpen()) {
    table.unlock();
    const std::uint32_t id = openBacking(*node->branch, file.get());
    table.lock();
    if (node->isOpen()) {
      table.unlock();
      closeBacking(id);
      table.lock();
    } else {
      node->file = std::make_unique<OpenFile>();
      node->file->fd = std::move(file);
      node->file->backingId = id;
    }
  }
  OpenFile& open = *node->file;
  ++open.opens;
  ++openFiles;
  if (open.backingId != 0) ++passedThrough;
  if (writes(flags)) ++open.writers;
  if ((flags & O_ACCMODE) == O_RDWR && !node->mapped) {
    node->mapped = true;
    notifier.refreshLater(tree.nodes.idOf(node));
  }
  const bool keepCache = !node->changedBelow;
  node->changedBelow = false;
  return OpenAnswer{.backingId = open.backingId, .keepCache = keepCache};
}

Result<OpenAnswer> FileSystem::openMade(Node* node, UniqueFd file, int flags) {
  const std::shared_lock shared(tree.lock);
  std::unique_lock table(tree.table);
  return install(node, std::move(file), flags, table);
}

Result<OpenAnswer> FileSystem::open(Node* node, int flags, const fuse_ctx& caller) {
  const bool writing = writes(flags);
  if (writing && !node->superseded) {
    Result<Node*> raised = writer.raise(node, (flags & O_TRUNC) == 0);
    if (!raised) return raised.status();
  }
  const std::shared_lock shared = tree.look(node);
  std::unique_lock table(tree.table);
  // Its name stands for another file now, which is found by looking the name up again; but who
  // comes back with this node has not got it by a name.
  if (node->superseded && node->lastStale != caller.pid) {
    node->lastStale = caller.pid;
    return refusal(ESTALE, "superseded");
  }
  if (node->isOpen() && (!writing || node->branch->writable())) {
    if (writing && caller.uid != 0) killPrivileges(node, node->file->fd.get());
    if ((flags & O_TRUNC) != 0 && ftruncate(node->file->fd.get(), 0) < 0) {
      return lastFailure("ftruncate");
    }
    return install(node, UniqueFd(), flags, table);
  }
  table.unlock();
  if (writing && !node->branch->writable()) {
    return refusal(node->superseded ? EROFS : ESTALE, "not copied up");
  }
  const int mode = node->branch->writable() ? O_RDWR : O_RDONLY;
  const int common = O_NONBLOCK | O_NOCTTY | (flags & O_TRUNC);
  Result<UniqueFd> file = openBackingFile(node, mode | common);
  if (!file && mode == O_RDWR && !writing) file = openBackingFile(node, O_RDONLY | common);
  if (!file) return file.status();
  if (writing && caller.uid != 0) killPrivileges(node, file.value().get());
  table.lock();
  return install(node, std::move(file.value()), flags, table);
}

Result<UniqueFd> FileSystem::openBackingFile(Node* node, int flags) {
  if (node->held) return reopen(node->held.get(), flags);
  Result<Place> place = tree.placeOf(node);
  if (!place) return place.status();
  Result<UniqueFd> file =
      opened(openat(place.value().directory, place.value().text(), flags | O_NOFOLLOW | O_CLOEXEC),
             "openat");
  if (!file) {
    if (file.error().number == ENOENT) return refusal(ESTALE, "the file is not where it was");
    return file;
  }
  struct stat info;
  if (fstat(file.value().get(), &info) < 0) return lastFailure("fstat");
  const bool same = info.st_ino == node->inode && info.st_dev == node->device;
  if (!same || !S_ISREG(info.st_mode)) return refusal(ESTALE, "another file has the name");
  return file;
}

void FileSystem::close(Node* node, int flags) {
  std::unique_ptr<OpenFile> last;
  {
    const std::shared_lock shared(tree.lock);
    const std::lock_guard table(tree.table);
    OpenFile& file = *node->file;
    --openFiles;
    if (file.backingId != 0) --passedThrough;
    if (writes(flags)) --file.writers;
    if (--file.opens > 0) return;
    last = std::move(node->file);
    // Nobody but we know the file of a removed node any more.
    if (node->removed && node->lookups > 0 && !node->held) node->held = std::move(last->fd);
    tree.nodes.release(node);
  }
  closeBacking(last->backingId);
}

}  // namespace teu::unionfs
