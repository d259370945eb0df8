// Requests about names, and the list of all.
#include <fcntl.h>
#include <limits.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "union/fuse_abi.h"
#include "union/names.h"
#include "union/request_loop.h"
#include "union/requests.h"

namespace teu::unionfs {
namespace requests {
namespace {

/// 0 if the kernel took the answer; else it does not count the lookup.
void answerEntry(fuse_req_t request, Result<fuse_entry_param> entry) {
  if (!entry) return refuse(request, entry.error());
  FileSystem& files = fileSystemOf(request);
  if (fuse_reply_entry(request, &entry.value()) == 0) return;
  files.forget(files.node(entry.value().ino), 1);
}

void init(void*, fuse_conn_info* connection) {
  const unsigned wanted = FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_DONT_MASK | FUSE_CAP_POSIX_ACL |
                          FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_READDIRPLUS |
                          FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_ATOMIC_O_TRUNC;
  const unsigned unwanted = FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_SPLICE_READ |
                            FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE;
  connection->want = (connection->want | (wanted & connection->capable)) & ~unwanted;
  constexpr unsigned kBackground = 64;
  connection->max_background = kBackground;
  connection->max_write = kMaxWrite;
}

void lookUp(fuse_req_t request, fuse_ino_t parent, const char* name) {
  FileSystem& files = fileSystemOf(request);
  Node* directory = files.node(parent);
  Result<fuse_entry_param> entry = files.lookUp(directory, name);
  if (entry || entry.error().number != ENOENT) return answerEntry(request, std::move(entry));
  fuse_entry_param absent{};
  absent.entry_timeout = files.timeout();
  if (absent.entry_timeout == 0 || !files.rememberAbsent(directory, name)) {
    return refuse(request, entry.error());
  }
  fuse_reply_entry(request, &absent);
}

void forget(fuse_req_t request, fuse_ino_t id, std::uint64_t count) {
  FileSystem& files = fileSystemOf(request);
  files.forget(files.node(id), count);
  fuse_reply_none(request);
}

void forgetMany(fuse_req_t request, std::size_t count, fuse_forget_data* forgets) {
  FileSystem& files = fileSystemOf(request);
  for (std::size_t index = 0; index < count; ++index) {
    files.forget(files.node(forgets[index].ino), forgets[index].nlookup);
  }
  fuse_reply_none(request);
}

void getAttributes(fuse_req_t request, fuse_ino_t id, fuse_file_info*) {
  FileSystem& files = fileSystemOf(request);
  Node* node = files.node(id);
  const std::shared_lock shared = files.tree.look(node);
  Result<struct stat> info = files.tree.statOf(node);
  if (!info) return refuse(request, info.error());
  fuse_reply_attr(request, &info.value(), files.attributeTimeout(node));
}

void setAttributes(fuse_req_t request, fuse_ino_t id, struct stat* wanted, int mask,
                   fuse_file_info*) {
  FileSystem& files = fileSystemOf(request);
  Node* node = files.node(id);
  Result<struct stat> info = files.setAttributes(node, *wanted, mask, *fuse_req_ctx(request));
  if (!info) return refuse(request, info.error());
  fuse_reply_attr(request, &info.value(), files.attributeTimeout(node));
}

void readLink(fuse_req_t request, fuse_ino_t id) {
  FileSystem& files = fileSystemOf(request);
  Result<UniqueFd> link = files.openForAttributes(files.node(id), false);
  if (!link) return refuse(request, link.error());
  char target[PATH_MAX + 1];
  const ssize_t size = readlinkat(link.value().get(), "", target, PATH_MAX);
  if (size < 0) return refuse(request, lastFailure("readlinkat"));
  target[size] = '\0';
  fuse_reply_readlink(request, target);
}

void makeNode(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
  FileSystem& files = fileSystemOf(request);
  answerEntry(request, files.make(*fuse_req_ctx(request), files.node(parent), name,
                                  {.mode = mode, .device = device}));
}

void makeDirectory(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  FileSystem& files = fileSystemOf(request);
  answerEntry(request, files.make(*fuse_req_ctx(request), files.node(parent), name,
                                  {.mode = S_IFDIR | (mode & 07777)}));
}

void makeSymbolicLink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
  FileSystem& files = fileSystemOf(request);
  answerEntry(request, files.make(*fuse_req_ctx(request), files.node(parent), name,
                                  {.mode = S_IFLNK | 0777, .target = target}));
}

void makeLink(fuse_req_t request, fuse_ino_t id, fuse_ino_t parent, const char* name) {
  FileSystem& files = fileSystemOf(request);
  answerEntry(request, files.link(files.node(id), files.node(parent), name));
}

void unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  FileSystem& files = fileSystemOf(request);
  answer(request, files.unlink(files.node(parent), name));
}

void removeDirectory(fuse_req_t request, fuse_ino_t parent, const char* name) {
  FileSystem& files = fileSystemOf(request);
  answer(request, files.removeDirectory(files.node(parent), name));
}

void rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t newParent,
            const char* newName, unsigned flags) {
  FileSystem& files = fileSystemOf(request);
  answer(request, files.rename(files.node(parent), name, files.node(newParent), newName, flags));
}

void statFileSystem(fuse_req_t request, fuse_ino_t) {
  FileSystem& files = fileSystemOf(request);
  const std::shared_lock shared(files.tree.lock);
  const BranchList& branches = files.tree.branches();
  Result<std::size_t> writable = files.tree.writableFor(branches.size());
  struct statvfs info;
  if (fstatvfs(branches[writable ? writable.value() : 0]->root.get(), &info) < 0) {
    return refuse(request, lastFailure("fstatvfs"));
  }
  info.f_namemax -= kWhiteoutPrefix.size();
  fuse_reply_statfs(request, &info);
}

}  // namespace
}  // namespace requests

const fuse_lowlevel_ops& FileSystem::operations() {
  static const fuse_lowlevel_ops all = [] {
    namespace ask = requests;
    fuse_lowlevel_ops list{};
    list.init = ask::init;
    list.lookup = ask::lookUp;
    list.forget = ask::forget;
    list.forget_multi = ask::forgetMany;
    list.getattr = ask::getAttributes;
    list.setattr = ask::setAttributes;
    list.readlink = ask::readLink;
    list.mknod = ask::makeNode;
    list.mkdir = ask::makeDirectory;
    list.symlink = ask::makeSymbolicLink;
    list.link = ask::makeLink;
    list.unlink = ask::unlink;
    list.rmdir = ask::removeDirectory;
    list.rename = ask::rename;
    list.open = ask::openFile;
    list.create = ask::createFile;
    list.release = ask::closeFile;
    list.read = ask::readFile;
    list.write = ask::writeFile;
    list.fsync = ask::syncFile;
    list.fsyncdir = ask::syncDirectory;
    list.opendir = ask::openDirectory;
    list.readdir = ask::readDirectory;
    list.readdirplus = ask::readDirectoryPlus;
    list.releasedir = ask::closeDirectory;
    list.statfs = ask::statFileSystem;
    list.getxattr = ask::getAttribute;
    list.setxattr = ask::setAttribute;
    list.listxattr = ask::listAttributes;
    list.removexattr = ask::removeAttribute;
    list.fallocate = ask::allocate;
    list.lseek = ask::seek;
    list.copy_file_range = ask::copyRange;
    return list;
  }();
  return all;
}

}  // namespace teu::unionfs
