// Requests about the data of open files. With passthrough the kernel makes only a few of them.
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <vector>

#include "union/fuse_abi.h"
#include "union/request_loop.h"
#include "union/requests.h"

namespace teu::unionfs::requests {
namespace {

int fdOf(fuse_req_t request, fuse_ino_t id) {
  return fileSystemOf(request).node(id)->file->fd.get();
}

/// libfuse 3.14 knows of no backing files, so these answers are written as the kernel reads them.
fuse_open_out openOut(const OpenAnswer& answer) {
  fuse_open_out out{};
  if (answer.backingId != 0) {
    out.open_flags = abi::kOpenPassthrough;
    out.padding = answer.backingId;
  } else if (answer.keepCache) {
    out.open_flags = FOPEN_KEEP_CACHE;
  }
  return out;
}

fuse_attr attributesOut(const struct stat& info) {
  fuse_attr out{};
  out.ino = info.st_ino;
  out.size = static_cast<std::uint64_t>(info.st_size);
  out.blocks = static_cast<std::uint64_t>(info.st_blocks);
  out.atime = static_cast<std::uint64_t>(info.st_atim.tv_sec);
  out.mtime = static_cast<std::uint64_t>(info.st_mtim.tv_sec);
  out.ctime = static_cast<std::uint64_t>(info.st_ctim.tv_sec);
  out.atimensec = static_cast<std::uint32_t>(info.st_atim.tv_nsec);
  out.mtimensec = static_cast<std::uint32_t>(info.st_mtim.tv_nsec);
  out.ctimensec = static_cast<std::uint32_t>(info.st_ctim.tv_nsec);
  out.mode = info.st_mode;
  out.nlink = static_cast<std::uint32_t>(info.st_nlink);
  out.uid = info.st_uid;
  out.gid = info.st_gid;
  out.rdev = static_cast<std::uint32_t>(info.st_rdev);
  out.blksize = static_cast<std::uint32_t>(info.st_blksize);
  return out;
}

struct CreateOut {
  fuse_entry_out entry;
  fuse_open_out open;
};

CreateOut createOut(const fuse_entry_param& entry, const OpenAnswer& answer) {
  CreateOut out{};
  out.entry.nodeid = entry.ino;
  out.entry.entry_valid = static_cast<std::uint64_t>(entry.entry_timeout);
  out.entry.attr_valid = static_cast<std::uint64_t>(entry.attr_timeout);
  out.entry.attr = attributesOut(entry.attr);
  out.open = openOut(answer);
  return out;
}

}  // namespace

void openFile(fuse_req_t request, fuse_ino_t id, fuse_file_info* info) {
  FileSystem& files = fileSystemOf(request);
  Node* node = files.node(id);
  Result<OpenAnswer> done = files.open(node, info->flags, *fuse_req_ctx(request));
  if (!done) return refuse(request, done.error());
  const fuse_open_out out = openOut(done.value());
  // Nobody will close what nobody has got.
  if (fuse_reply_buf(request, reinterpret_cast<const char*>(&out), sizeof out) != 0) {
    files.close(node, info->flags);
  }
}

void createFile(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode,
                fuse_file_info* info) {
  FileSystem& files = fileSystemOf(request);
  UniqueFd file;
  const Making making{.mode = S_IFREG | (mode & 07777), .file = &file};
  Result<fuse_entry_param> made =
      files.make(*fuse_req_ctx(request), files.node(parent), name, making);
  if (!made) return refuse(request, made.error());
  Node* node = files.node(made.value().ino);
  Result<OpenAnswer> opened = files.openMade(node, std::move(file), info->flags);
  if (!opened) {
    files.forget(node, 1);
    return refuse(request, opened.error());
  }
  made.value().attr_timeout = files.attributeTimeout(node);
  const CreateOut out = createOut(made.value(), opened.value());
  if (fuse_reply_buf(request, reinterpret_cast<const char*>(&out), sizeof out) != 0) {
    files.close(node, info->flags);
    files.forget(node, 1);
  }
}

void closeFile(fuse_req_t request, fuse_ino_t id, fuse_file_info* info) {
  FileSystem& files = fileSystemOf(request);
  files.close(files.node(id), info->flags);
  fuse_reply_err(request, 0);
}

void readFile(fuse_req_t request, fuse_ino_t id, std::size_t size, off_t offset, fuse_file_info*) {
  RequestLoop::expectDelay();
  std::vector<char> buffer(size);
  const ssize_t got = pread(fdOf(request, id), buffer.data(), size, offset);
  if (got < 0) return refuse(request, lastFailure("pread"));
  fuse_reply_buf(request, buffer.data(), static_cast<std::size_t>(got));
}

void writeFile(fuse_req_t request, fuse_ino_t id, const char* data, std::size_t size, off_t offset,
               fuse_file_info*) {
  RequestLoop::expectDelay();
  const ssize_t done = pwrite(fdOf(request, id), data, size, offset);
  if (done < 0) return refuse(request, lastFailure("pwrite"));
  fuse_reply_write(request, static_cast<std::size_t>(done));
}

void syncFile(fuse_req_t request, fuse_ino_t id, int dataOnly, fuse_file_info*) {
  RequestLoop::expectDelay();
  const int fd = fdOf(request, id);
  answer(request, checked(dataOnly != 0 ? fdatasync(fd) : fsync(fd), "fsync"));
}

void syncDirectory(fuse_req_t request, fuse_ino_t id, int, fuse_file_info*) {
  RequestLoop::expectDelay();
  FileSystem& files = fileSystemOf(request);
  Result<UniqueFd> path = files.openForAttributes(files.node(id), false);
  if (!path) return refuse(request, path.error());
  Result<UniqueFd> directory =
      opened(openat(path.value().get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "openat");
  if (!directory) return refuse(request, directory.error());
  answer(request, checked(fsync(directory.value().get()), "fsync"));
}

void allocate(fuse_req_t request, fuse_ino_t id, int mode, off_t offset, off_t length,
              fuse_file_info*) {
  RequestLoop::expectDelay();
  answer(request, checked(fallocate(fdOf(request, id), mode, offset, length), "fallocate"));
}

void seek(fuse_req_t request, fuse_ino_t id, off_t offset, int whence, fuse_file_info*) {
  const off_t found = lseek(fdOf(request, id), offset, whence);
  if (found < 0) return refuse(request, lastFailure("lseek"));
  fuse_reply_lseek(request, found);
}

void copyRange(fuse_req_t request, fuse_ino_t from, off_t fromOffset, fuse_file_info*,
               fuse_ino_t to, off_t toOffset, fuse_file_info*, std::size_t size, int flags) {
  RequestLoop::expectDelay();
  const ssize_t done = copy_file_range(fdOf(request, from), &fromOffset, fdOf(request, to),
                                       &toOffset, size, static_cast<unsigned>(flags));
  if (done < 0) return refuse(request, lastFailure("copy_file_range"));
  fuse_reply_write(request, static_cast<std::size_t>(done));
}

}  // namespace teu::unionfs::requests
