#include "sys/files.h"

#include <linux/openat2.h>
#include <linux/stat.h>

namespace teu::sys {
namespace {

constexpr int kEintr = 4;
constexpr int kEagain = 11;
constexpr int kE2big = 7;
constexpr int kEio = 5;
constexpr int kRaceRetries = 128;

// <linux/fcntl.h> commands
constexpr int kDupCloseOnExec = 1030;
constexpr int kGetFlags = 3;
constexpr int kSetFlags = 4;

template <typename... Arguments>
long callUninterrupted(long number, Arguments... arguments) noexcept {
  for (;;) {
    const long answer = call(number, arguments...);
    if (answer != -kEintr) return answer;
  }
}

Result<size_t> sizeOf(long answer, const char* syscall) noexcept {
  if (answer < 0) return statusOf(answer, syscall);
  return static_cast<size_t>(answer);
}

Result<FileInfo> statxOf(int directory, const char* path, int flags) noexcept {
  struct statx raw {};
  const long answer =
      call(__NR_statx, directory, path, flags, STATX_BASIC_STATS | STATX_MNT_ID, &raw);
  if (answer < 0) return statusOf(answer, "statx");
  return FileInfo{.mode = raw.stx_mode,
                  .inode = raw.stx_ino,
                  .mountId = raw.stx_mnt_id,
                  .size = raw.stx_size,
                  .deviceMajor = raw.stx_rdev_major,
                  .deviceMinor = raw.stx_rdev_minor,
                  .uid = raw.stx_uid,
                  .gid = raw.stx_gid};
}

}  // namespace

Result<UniqueFd> openAt(int directory, const char* path, int flags, unsigned mode) noexcept {
  const int all = flags | abi::kOpenCloseOnExec;
  return fdOf(callUninterrupted(__NR_openat, directory, path, all, mode), "openat");
}

Result<UniqueFd> openResolved(int directory, const char* path, int flags, unsigned mode,
                              uint64_t resolve) noexcept {
  const open_how how{.flags = static_cast<uint64_t>(flags | abi::kOpenCloseOnExec),
                     .mode = mode,
                     .resolve = resolve};
  long answer = -kEagain;
  for (int tries = 0; tries < kRaceRetries && answer == -kEagain; ++tries) {
    answer = callUninterrupted(__NR_openat2, directory, path, &how, sizeof how);
  }
  return fdOf(answer, "openat2");
}

Result<FileInfo> fileInfo(int fd) noexcept {
  return statxOf(fd, "", abi::kAtEmptyPath);
}

Result<FileInfo> fileInfoAt(int directory, const char* name) noexcept {
  return statxOf(directory, name, abi::kAtSymlinkNoFollow);
}

Result<size_t> readSome(int fd, void* buffer, size_t size) noexcept {
  return sizeOf(callUninterrupted(__NR_read, fd, buffer, size), "read");
}

Result<size_t> readAt(int fd, void* buffer, size_t size, uint64_t offset) noexcept {
  return sizeOf(callUninterrupted(__NR_pread64, fd, buffer, size, offset), "pread64");
}

Result<size_t> writeSome(int fd, const void* buffer, size_t size) noexcept {
  return sizeOf(callUninterrupted(__NR_write, fd, buffer, size), "write");
}

Result<size_t> writeAt(int fd, const void* buffer, size_t size, uint64_t offset) noexcept {
  return sizeOf(callUninterrupted(__NR_pwrite64, fd, buffer, size, offset), "pwrite64");
}

Status writeAll(int fd, const void* buffer, size_t size) noexcept {
  const char* next = static_cast<const char*>(buffer);
  while (size > 0) {
    Result<size_t> written = writeSome(fd, next, size);
    if (!written) return written.status();
    if (written.value() == 0) return brokenRule(kEio, "write");
    next += written.value();
    size -= written.value();
  }
  return {};
}

Result<size_t> readSmallFile(int directory, const char* path, char* buffer,
                             size_t capacity) noexcept {
  Result<UniqueFd> file = openAt(directory, path, abi::kOpenReadOnly);
  if (!file) return file.status();
  size_t length = 0;
  for (;;) {
    if (length + 1 >= capacity) return brokenRule(kE2big, "read");
    Result<size_t> size = readSome(file.value().get(), buffer + length, capacity - 1 - length);
    if (!size) return size.status();
    if (size.value() == 0) break;
    length += size.value();
  }
  buffer[length] = '\0';
  return static_cast<size_t&&>(length);
}

Status makeDirectoryAt(int directory, const char* name, unsigned mode) noexcept {
  return statusOf(call(__NR_mkdirat, directory, name, mode), "mkdirat");
}

Status makeNodeAt(int directory, const char* name, unsigned mode, unsigned major,
                  unsigned minor) noexcept {
  // The kernel's encoding of a device number: 12 bits of major, the minor split around it.
  const unsigned device = (minor & 0xff) | (major << 8) | ((minor & ~0xffU) << 12);
  return statusOf(call(__NR_mknodat, directory, name, mode, device), "mknodat");
}

Status makeLinkAt(const char* target, int directory, const char* name) noexcept {
  return statusOf(call(__NR_symlinkat, target, directory, name), "symlinkat");
}

Result<size_t> readLinkAt(int directory, const char* name, char* target, size_t capacity) noexcept {
  return sizeOf(call(__NR_readlinkat, directory, name, target, capacity), "readlinkat");
}

Status renameAt(int directory, const char* from, const char* to) noexcept {
  return statusOf(call(__NR_renameat2, directory, from, directory, to, 0), "renameat2");
}

Status unlinkAt(int directory, const char* name) noexcept {
  return statusOf(call(__NR_unlinkat, directory, name, 0), "unlinkat");
}

Status changeOwner(int fd, unsigned uid, unsigned gid) noexcept {
  return statusOf(call(__NR_fchownat, fd, "", uid, gid, abi::kAtEmptyPath), "fchownat");
}

Status truncate(int fd, uint64_t size) noexcept {
  return statusOf(call(__NR_ftruncate, fd, size), "ftruncate");
}

Status duplicateTo(int fd, int number) noexcept {
  return statusOf(call(__NR_dup3, fd, number, 0), "dup3");
}

Result<UniqueFd> duplicateAbove(int fd, int minimum) noexcept {
  return fdOf(call(__NR_fcntl, fd, kDupCloseOnExec, minimum), "fcntl");
}

Status changeDirectory(int fd) noexcept {
  return statusOf(call(__NR_fchdir, fd), "fchdir");
}

Result<long> fileSystemMagic(int fd) noexcept {
  long raw[16] = {};  // struct statfs: f_type is its first member, 120 bytes in all
  const long answer = call(__NR_fstatfs, fd, raw);
  if (answer < 0) return statusOf(answer, "fstatfs");
  return static_cast<long&&>(raw[0]);
}

Status closeRange(unsigned first, unsigned last, bool onExec) noexcept {
  constexpr unsigned kMarkOnExec = 4;
  return statusOf(call(__NR_close_range, first, last, onExec ? kMarkOnExec : 0U), "close_range");
}

Status makePipe(UniqueFd& readEnd, UniqueFd& writeEnd) noexcept {
  int ends[2] = {-1, -1};
  const long answer = call(__NR_pipe2, ends, abi::kOpenCloseOnExec);
  if (answer < 0) return statusOf(answer, "pipe2");
  readEnd.reset(ends[0]);
  writeEnd.reset(ends[1]);
  return {};
}

Status setNonBlocking(int fd) noexcept {
  const long flags = call(__NR_fcntl, fd, kGetFlags);
  if (flags < 0) return statusOf(flags, "fcntl");
  return statusOf(call(__NR_fcntl, fd, kSetFlags, flags | abi::kOpenNonBlocking), "fcntl");
}

}  // namespace teu::sys
