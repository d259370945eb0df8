#pragma once

#include <stddef.h>
#include <stdint.h>

namespace teu {

/// Hands out zeroed pieces of one block; nothing is given back. Elements must be fine with being
/// all zero bytes.
class Arena {
 public:
  Arena(uint8_t* start, size_t size) noexcept : next_(start), left_(size) {}

  template <typename T>
  T* allocate(size_t count) noexcept {
    const size_t padding =
        (alignof(T) - reinterpret_cast<uintptr_t>(next_) % alignof(T)) % alignof(T);
    if (count > (SIZE_MAX - padding) / sizeof(T) || left_ < padding + count * sizeof(T)) {
      return nullptr;
    }
    T* block = reinterpret_cast<T*>(next_ + padding);
    next_ += padding + count * sizeof(T);
    left_ -= padding + count * sizeof(T);
    return block;
  }

 private:
  uint8_t* next_;
  size_t left_;
};

}  // namespace teu
