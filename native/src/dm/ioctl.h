#pragma once

#include <asm/unistd.h>
// Numbers of requests are made by macros of this.
#include <linux/ioctl.h>

#include "sys/raw_syscall.h"
#include "sys/result.h"

namespace teu::dm {

/// ioctl(2) with a pointer; `step` says what for.
inline Status control(int fd, unsigned long request, void* argument, const char* step) {
  return statusOf(sys::call(__NR_ioctl, fd, request, argument), "ioctl").during(step);
}

/// ioctl(2) with a number.
inline Status controlNumber(int fd, unsigned long request, unsigned long number, const char* step) {
  return statusOf(sys::call(__NR_ioctl, fd, request, number), "ioctl").during(step);
}

}  // namespace teu::dm
