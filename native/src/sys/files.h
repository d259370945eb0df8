// Opening, reading, writing and making files. Every descriptor is close-on-exec.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sys/kernel_abi.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu::sys {

/// What statx(2) tells that we look at.
struct FileInfo {
  unsigned mode = 0;
  uint64_t inode = 0;
  uint64_t mountId = 0;
  uint64_t size = 0;
  unsigned deviceMajor = 0;  ///< of a device node
  unsigned deviceMinor = 0;
  unsigned uid = 0;
  unsigned gid = 0;

  unsigned type() const noexcept { return mode & abi::kModeTypeMask; }
  bool sameObject(const FileInfo& other) const noexcept {
    return inode == other.inode && mountId == other.mountId;
  }
};

Result<UniqueFd> openAt(int directory, const char* path, int flags, unsigned mode = 0) noexcept;

/// openat2(2) with RESOLVE_* restrictions (Linux 5.6). EAGAIN (a rename raced with `..`) is
/// retried.
Result<UniqueFd> openResolved(int directory, const char* path, int flags, unsigned mode,
                              uint64_t resolve) noexcept;

Result<FileInfo> fileInfo(int fd) noexcept;
Result<FileInfo> fileInfoAt(int directory, const char* name) noexcept;

Result<size_t> readSome(int fd, void* buffer, size_t size) noexcept;
Result<size_t> readAt(int fd, void* buffer, size_t size, uint64_t offset) noexcept;
Result<size_t> writeSome(int fd, const void* buffer, size_t size) noexcept;
Result<size_t> writeAt(int fd, const void* buffer, size_t size, uint64_t offset) noexcept;
/// Writes all or fails.
Status writeAll(int fd, const void* buffer, size_t size) noexcept;
/// Reads a small file whole into `buffer` and ends it with NUL; E2BIG if it does not fit.
Result<size_t> readSmallFile(int directory, const char* path, char* buffer,
                             size_t capacity) noexcept;

Status makeDirectoryAt(int directory, const char* name, unsigned mode) noexcept;
Status makeNodeAt(int directory, const char* name, unsigned mode, unsigned major,
                  unsigned minor) noexcept;
Status makeLinkAt(const char* target, int directory, const char* name) noexcept;
/// What the symbolic link says, without a NUL; `capacity` bytes if it says more than that.
Result<size_t> readLinkAt(int directory, const char* name, char* target, size_t capacity) noexcept;
Status renameAt(int directory, const char* from, const char* to) noexcept;
Status unlinkAt(int directory, const char* name) noexcept;
Status changeOwner(int fd, unsigned uid, unsigned gid) noexcept;
Status truncate(int fd, uint64_t size) noexcept;
Status duplicateTo(int fd, int number) noexcept;
Result<UniqueFd> duplicateAbove(int fd, int minimum) noexcept;
Status changeDirectory(int fd) noexcept;
/// f_type of fstatfs(2).
Result<long> fileSystemMagic(int fd) noexcept;
/// close_range(2), Linux 5.9; `onExec` (5.11) only marks them.
Status closeRange(unsigned first, unsigned last, bool onExec) noexcept;
inline constexpr unsigned kHighestFd = ~0U;
Status makePipe(UniqueFd& readEnd, UniqueFd& writeEnd) noexcept;
Status setNonBlocking(int fd) noexcept;

}  // namespace teu::sys
