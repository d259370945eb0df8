// What we use of the kernel's binary interface beyond the headers of Debian 12 (Linux 6.1), and the
// few constants whose libc headers would clash with the kernel's own. Everything else comes from
// <linux/...> and <asm/...>.
#pragma once

#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

namespace teu::abi {

// ioctl(pidfd), Linux 6.11.
inline constexpr unsigned kPidfdGetMountNamespace = 0xff03;

// fcntl(2) and open(2); <fcntl.h> is libc's and <asm/fcntl.h> clashes with it in hosted builds.
inline constexpr int kAtFdCwd = -100;
inline constexpr int kOpenReadOnly = 0;
inline constexpr int kOpenWriteOnly = 1;
inline constexpr int kOpenReadWrite = 2;
inline constexpr int kOpenCreate = 0100;
inline constexpr int kOpenExclusive = 0200;
inline constexpr int kOpenNoControllingTty = 0400;
inline constexpr int kOpenTruncate = 01000;
inline constexpr int kOpenNonBlocking = 04000;
inline constexpr int kOpenCloseOnExec = 02000000;
inline constexpr int kOpenPath = 010000000;
#if defined(__aarch64__)
inline constexpr int kOpenDirectory = 040000;
inline constexpr int kOpenNoFollow = 0100000;
#else
inline constexpr int kOpenDirectory = 0200000;
inline constexpr int kOpenNoFollow = 0400000;
#endif
inline constexpr int kAtSymlinkNoFollow = 0x100;
inline constexpr int kAtRecursive = 0x8000;
inline constexpr int kAtEmptyPath = 0x1000;

// mount(2); <sys/mount.h> is libc's.
inline constexpr unsigned kMsReadOnly = 0x1;
inline constexpr unsigned kMsNoSuid = 0x2;
inline constexpr unsigned kMsNoDev = 0x4;
inline constexpr unsigned kMsNoExec = 0x8;
inline constexpr unsigned kMsSynchronous = 0x10;
inline constexpr unsigned kMsDirSync = 0x80;
inline constexpr unsigned kMsNoSymFollow = 0x100;
inline constexpr unsigned kMsNoAtime = 0x400;
inline constexpr unsigned kMsNoDirAtime = 0x800;
inline constexpr unsigned kMsBind = 0x1000;
inline constexpr unsigned kMsRecursive = 0x4000;
inline constexpr unsigned kMsUnbindable = 0x20000;
inline constexpr unsigned kMsPrivate = 0x40000;
inline constexpr unsigned kMsSlave = 0x80000;
inline constexpr unsigned kMsShared = 0x100000;
inline constexpr unsigned kMsRelatime = 0x200000;
inline constexpr unsigned kMsStrictAtime = 0x1000000;
inline constexpr unsigned kMsLazyTime = 0x2000000;
inline constexpr unsigned kMsPropagation = kMsUnbindable | kMsPrivate | kMsSlave | kMsShared;
inline constexpr int kMntDetach = 2;

// statfs(2) magic numbers.
inline constexpr long kDevptsMagic = 0x1cd1;
inline constexpr long kProcMagic = 0x9fa0;

// File types of st_mode.
inline constexpr unsigned kModeTypeMask = 0170000;
inline constexpr unsigned kModeFifo = 0010000;
inline constexpr unsigned kModeCharacter = 0020000;
inline constexpr unsigned kModeDirectory = 0040000;
inline constexpr unsigned kModeBlock = 0060000;
inline constexpr unsigned kModeRegular = 0100000;
inline constexpr unsigned kModeSymlink = 0120000;

// poll(2)
inline constexpr short kPollIn = 0x1;
inline constexpr short kPollOut = 0x4;
inline constexpr short kPollError = 0x8;
inline constexpr short kPollHangUp = 0x10;

struct PollFd {
  int fd;
  short events;
  short revents;
};

struct Timespec {
  int64_t seconds;
  int64_t nanoseconds;
};

struct IoVec {
  void* base;
  size_t length;
};

struct MessageHeader {
  void* name;
  int nameLength;
  IoVec* parts;
  size_t partCount;
  void* control;
  size_t controlLength;
  int flags;
};

// A control message with one file descriptor.
struct alignas(8) FdControlMessage {
  size_t length;
  int level;
  int type;
  int fd;
};

struct UnixAddress {
  uint16_t family;
  char path[108];
};

struct PeerCredentials {
  int pid;
  unsigned uid;
  unsigned gid;
};

struct WindowSize {
  uint16_t rows;
  uint16_t columns;
  uint16_t xPixels;
  uint16_t yPixels;
};

struct Rlimit64 {
  uint64_t soft;
  uint64_t hard;
};

struct Timeval {
  int64_t seconds;
  int64_t microseconds;
};

struct Rusage {
  Timeval user;
  Timeval system;
  int64_t maxRssKib;
  int64_t rest[13];
};

}  // namespace teu::abi
