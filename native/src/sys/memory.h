// Whole pages from the kernel: the only memory of the freestanding program besides its stack and
// its statics.
#pragma once

#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/raw_syscall.h"
#include "sys/result.h"

namespace teu {

/// Owns one mapping. Pages cost memory only once touched.
class Mapping {
 public:
  enum class Sharing { kPrivate, kShared };

  Mapping() noexcept = default;
  Mapping(Mapping&& other) noexcept : start_(other.start_), size_(other.size_) {
    other.start_ = nullptr;
    other.size_ = 0;
  }
  Mapping& operator=(Mapping&& other) noexcept {
    if (this != &other) {
      unmap();
      start_ = other.start_;
      size_ = other.size_;
      other.start_ = nullptr;
      other.size_ = 0;
    }
    return *this;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { unmap(); }

  /// Zeroed memory; shared memory is seen by children of fork too.
  static Result<Mapping> ofMemory(size_t size, Sharing sharing) noexcept {
    const int flags = kAnonymous | (sharing == Sharing::kShared ? kShared : kPrivate);
    return make(size, kRead | kWrite, flags, -1);
  }

  /// A file's bytes, read-only.
  static Result<Mapping> ofFile(int fd, size_t size) noexcept {
    return make(size, kRead, kPrivate, fd);
  }

  uint8_t* data() const noexcept { return start_; }
  size_t size() const noexcept { return size_; }
  explicit operator bool() const noexcept { return start_ != nullptr; }

  void unmap() noexcept {
    if (start_ != nullptr) sys::call(__NR_munmap, start_, size_);
    start_ = nullptr;
    size_ = 0;
  }

 private:
  static constexpr int kRead = 1, kWrite = 2;
  static constexpr int kShared = 1, kPrivate = 2, kAnonymous = 0x20;

  static Result<Mapping> make(size_t size, int protection, int flags, int fd) noexcept {
    const long answer = sys::call(__NR_mmap, 0, size, protection, flags, fd, 0);
    if (answer < 0 && answer > -4096) return statusOf(answer, "mmap");
    Mapping mapping;
    mapping.start_ = reinterpret_cast<uint8_t*>(answer);
    mapping.size_ = size;
    return static_cast<Mapping&&>(mapping);
  }

  uint8_t* start_ = nullptr;
  size_t size_ = 0;
};

}  // namespace teu
