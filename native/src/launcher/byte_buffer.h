// A growing buffer of bytes that writes little-endian numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace teu::launcher {

// Growable bytes. The program ends when memory does: there is nothing to undo.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  ~ByteBuffer();
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;

  void append(const void* bytes, size_t size);
  void appendU16(uint16_t value);
  void appendU32(uint32_t value);
  // A u32 length and the bytes.
  void appendString(std::string_view text);
  // A u32 count and each string of a null-terminated array.
  void appendStrings(const char* const* strings);

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace teu::launcher
