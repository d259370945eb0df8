#pragma once

#include <stddef.h>
#include <stdint.h>

#include "launch/arena.h"
#include "launch/plan.h"

namespace teu {

/// Reads the plan's fields in order and never beyond its end. After the first failure every further
/// read answers zero, so a reader checks `failed()` once at the end; `field` then names the first
/// bad one.
class PlanCursor {
 public:
  PlanCursor(const uint8_t* bytes, size_t size, Arena& arena) noexcept
      : bytes_(bytes), size_(size), arena_(arena) {}

  bool failed() const noexcept { return *failedField_ != '\0'; }
  const char* failedField() const noexcept { return failedField_; }
  bool atEnd() const noexcept { return at_ == size_; }

  void fail(const char* field) noexcept {
    if (!failed()) failedField_ = field;
  }

  uint32_t u32(const char* field) noexcept { return number<uint32_t>(field); }
  uint64_t u64(const char* field) noexcept { return number<uint64_t>(field); }

  /// 0 or 1, nothing else.
  bool flag(const char* field) noexcept { return u32Below(field, 2) == 1; }

  uint32_t u32Below(const char* field, uint32_t limit) noexcept {
    const uint32_t value = u32(field);
    if (value < limit) return value;
    fail(field);
    return 0;
  }

  /// NUL-terminated, without a NUL inside.
  const char* text(const char* field) noexcept {
    const size_t length = u32(field);
    if (failed() || length >= size_ - at_) return failText(field);
    const uint8_t* start = bytes_ + at_;
    for (size_t at = 0; at < length; ++at) {
      if (start[at] == '\0') return failText(field);
    }
    if (start[length] != '\0') return failText(field);
    at_ += length + 1;
    return reinterpret_cast<const char*>(start);
  }

  /// Absolute: begins with a slash.
  const char* path(const char* field) noexcept {
    const char* value = text(field);
    if (*value != '/') fail(field);
    return value;
  }

  OptionalText optionalText(const char* field) noexcept {
    return flag(field) ? text(field) : nullptr;
  }

  /// Raw bytes, aligned to 8 from the plan's beginning.
  Span<const uint8_t> blob(const char* field) noexcept {
    const size_t length = u32(field);
    const size_t start = (at_ + 7) & ~size_t{7};
    const size_t padded = (length + 7) & ~size_t{7};
    if (failed() || start > size_ || padded > size_ - start) {
      fail(field);
      return {};
    }
    at_ = start + padded;
    return {.data = bytes_ + start, .size = length};
  }

  /// A counted list; `extra` zeroed elements follow it in memory.
  template <typename T, typename Read>
  Span<T> list(const char* field, Read read, size_t extra = 0) noexcept {
    const size_t count = u32(field);
    // Every element takes at least 4 bytes, so a count beyond that is a lie that must not cost
    // memory.
    if (failed() || count > (size_ - at_) / 4) {
      fail(field);
      return {};
    }
    T* items = arena_.allocate<T>(count + extra);
    if (items == nullptr) {
      fail(field);
      return {};
    }
    for (size_t index = 0; index < count && !failed(); ++index) items[index] = read();
    return {.data = items, .size = count};
  }

 private:
  template <typename T>
  T number(const char* field) noexcept {
    if (failed() || sizeof(T) > size_ - at_) {
      fail(field);
      return 0;
    }
    T value = 0;
    for (size_t byte = 0; byte < sizeof(T); ++byte) {
      value |= static_cast<T>(bytes_[at_ + byte]) << (8 * byte);
    }
    at_ += sizeof(T);
    return value;
  }

  const char* failText(const char* field) noexcept {
    fail(field);
    return "";
  }

  const uint8_t* bytes_;
  size_t size_;
  size_t at_ = 0;
  Arena& arena_;
  const char* failedField_ = "";
};

}  // namespace teu
