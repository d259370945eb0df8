#pragma once

#include <asm/unistd.h>

#include "sys/raw_syscall.h"
#include "sys/result.h"

namespace teu::btrfs {

/// ioctl(2); `step` says what for.
inline Status control(int fd, unsigned long request, void* argument, const char* step) {
  return statusOf(sys::call(__NR_ioctl, fd, request, argument), "ioctl").during(step);
}

}  // namespace teu::btrfs
