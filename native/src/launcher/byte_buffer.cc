#include "byte_buffer.h"

#include <cstdlib>
#include <cstring>

namespace teu::launcher {

ByteBuffer::~ByteBuffer() {
  free(data_);
}

void ByteBuffer::append(const void* bytes, size_t size) {
  if (size_ + size > capacity_) {
    capacity_ = (size_ + size) * 2 + 4096;
    data_ = static_cast<uint8_t*>(realloc(data_, capacity_));
    if (data_ == nullptr) {
      abort();
    }
  }
  memcpy(data_ + size_, bytes, size);
  size_ += size;
}

void ByteBuffer::appendU16(uint16_t value) {
  const uint8_t bytes[2] = {static_cast<uint8_t>(value), static_cast<uint8_t>(value >> 8)};
  append(bytes, sizeof bytes);
}

void ByteBuffer::appendU32(uint32_t value) {
  appendU16(static_cast<uint16_t>(value));
  appendU16(static_cast<uint16_t>(value >> 16));
}

void ByteBuffer::appendString(std::string_view text) {
  appendU32(static_cast<uint32_t>(text.size()));
  append(text.data(), text.size());
}

void ByteBuffer::appendStrings(const char* const* strings) {
  uint32_t count = 0;
  while (strings[count] != nullptr) {
    count++;
  }
  appendU32(count);
  for (uint32_t i = 0; i < count; i++) {
    appendString(strings[i]);
  }
}

}  // namespace teu::launcher
