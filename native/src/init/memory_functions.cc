// The four functions that the compiler calls on its own accord even without a libc.
#include <stddef.h>
#include <stdint.h>

extern "C" {

void* memcpy(void* to, const void* from, size_t size) {
  auto* target = static_cast<uint8_t*>(to);
  const auto* source = static_cast<const uint8_t*>(from);
#if defined(__x86_64__)
  void* result = to;
  asm volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
  return result;
#else
  for (size_t at = 0; at < size; ++at) target[at] = source[at];
  return to;
#endif
}

void* memmove(void* to, const void* from, size_t size) {
  auto* target = static_cast<uint8_t*>(to);
  const auto* source = static_cast<const uint8_t*>(from);
  if (target <= source || target >= source + size) return memcpy(to, from, size);
  while (size-- > 0) target[size] = source[size];
  return to;
}

void* memset(void* to, int value, size_t size) {
  auto* target = static_cast<uint8_t*>(to);
#if defined(__x86_64__)
  void* result = to;
  asm volatile("rep stosb" : "+D"(target), "+c"(size) : "a"(value) : "memory");
  return result;
#else
  for (size_t at = 0; at < size; ++at) target[at] = static_cast<uint8_t>(value);
  return to;
#endif
}

int memcmp(const void* left, const void* right, size_t size) {
  const auto* a = static_cast<const uint8_t*>(left);
  const auto* b = static_cast<const uint8_t*>(right);
  for (size_t at = 0; at < size; ++at) {
    if (a[at] != b[at]) return a[at] - b[at];
  }
  return 0;
}
}
