// Errors as values, from errno.
#pragma once

#include <errno.h>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu::unionfs {

/// The failure of the call that has just set errno.
inline SysError lastFailure(const char* syscall, const char* step = "") {
  return {.number = errno, .syscall = syscall, .step = step};
}

inline SysError refusal(int number, const char* rule) {
  return {.number = number, .syscall = rule};
}

/// What openat(2) and its like answered.
inline Result<UniqueFd> opened(int fd, const char* syscall) {
  if (fd < 0) return lastFailure(syscall);
  return UniqueFd(fd);
}

inline Status checked(int answer, const char* syscall) {
  if (answer < 0) return lastFailure(syscall);
  return {};
}

}  // namespace teu::unionfs
