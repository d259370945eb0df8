// Strings without libc, for the freestanding program.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace teu {

inline size_t textLength(const char* text) noexcept {
  size_t length = 0;
  while (text[length] != '\0') ++length;
  return length;
}

inline bool sameText(const char* left, const char* right) noexcept {
  size_t at = 0;
  while (left[at] != '\0' && left[at] == right[at]) ++at;
  return left[at] == right[at];
}

inline bool startsWith(const char* text, const char* prefix) noexcept {
  for (; *prefix != '\0'; ++text, ++prefix) {
    if (*text != *prefix) return false;
  }
  return true;
}

/// A piece of text that need not end in NUL.
struct TextView {
  const char* data = "";
  size_t size = 0;

  constexpr TextView() noexcept = default;
  constexpr TextView(const char* start, size_t length) noexcept : data(start), size(length) {}

  bool equals(const char* other) const noexcept {
    for (size_t at = 0; at < size; ++at) {
      if (other[at] == '\0' || other[at] != data[at]) return false;
    }
    return other[size] == '\0';
  }
};

/// Builds a NUL-terminated text in a fixed buffer; what does not fit sets `overflowed` and is left
/// out.
template <size_t Capacity>
class TextBuffer {
 public:
  TextBuffer() noexcept { text_[0] = '\0'; }

  TextBuffer& add(const char* text) noexcept { return add(TextView(text, textLength(text))); }

  TextBuffer& add(TextView text) noexcept {
    if (text.size >= Capacity - length_) {
      overflowed_ = true;
      return *this;
    }
    for (size_t at = 0; at < text.size; ++at) text_[length_++] = text.data[at];
    text_[length_] = '\0';
    return *this;
  }

  TextBuffer& add(uint64_t number) noexcept {
    char digits[20];
    size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    char text[20];
    for (size_t at = 0; at < count; ++at) text[at] = digits[count - 1 - at];
    return add(TextView(text, count));
  }

  TextBuffer& addSigned(int64_t number) noexcept {
    if (number >= 0) return add(static_cast<uint64_t>(number));
    return add("-").add(static_cast<uint64_t>(-(number + 1)) + 1);
  }

  const char* text() const noexcept { return text_; }
  size_t length() const noexcept { return length_; }
  bool overflowed() const noexcept { return overflowed_; }

 private:
  char text_[Capacity];
  size_t length_ = 0;
  bool overflowed_ = false;
};

}  // namespace teu
