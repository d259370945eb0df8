#pragma once

#include <asm/unistd.h>

#include "sys/raw_syscall.h"
#include "sys/result.h"

namespace teu {

/// Owns one file descriptor.
class UniqueFd {
 public:
  constexpr UniqueFd() noexcept = default;
  explicit constexpr UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

  /// Hands the descriptor over to the caller.
  int release() noexcept {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) sys::call(__NR_close, fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

inline Result<UniqueFd> fdOf(long answer, const char* syscall) noexcept {
  if (answer < 0) return statusOf(answer, syscall);
  return UniqueFd(static_cast<int>(answer));
}

}  // namespace teu
