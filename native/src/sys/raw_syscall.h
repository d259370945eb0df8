// One system call, nothing else: no errno, no cancellation points, no libc. Usable in the
// freestanding teu-init, in the addon's vfork child (which shares its parent's memory and may touch
// nothing of libc), and in hosted tests.
#pragma once

namespace teu::sys {

/// The kernel's answer: a value, or -errno (-4095..-1).
inline long rawSyscall(long number, long a, long b, long c, long d, long e, long f) noexcept {
#if defined(__x86_64__)
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc 0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
#else
#error "no system call sequence for this architecture"
#endif
}

inline long asArgument(const void* value) noexcept {
  return reinterpret_cast<long>(value);
}
inline long asArgument(long value) noexcept {
  return value;
}
inline long asArgument(unsigned long value) noexcept {
  return static_cast<long>(value);
}
inline long asArgument(int value) noexcept {
  return value;
}
inline long asArgument(unsigned int value) noexcept {
  return static_cast<long>(value);
}

/// rawSyscall with arguments of any integer or pointer type, the rest 0.
template <typename... Arguments>
inline long call(long number, Arguments... arguments) noexcept {
  static_assert(sizeof...(arguments) <= 6);
  const long values[7] = {asArgument(arguments)..., 0};
  return rawSyscall(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

}  // namespace teu::sys
