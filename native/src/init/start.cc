// Where the kernel enters teu-init: there is no libc to do it.
namespace teu {
[[noreturn]] void runInit(int argumentCount, char** arguments) noexcept;
}

extern "C" [[noreturn, gnu::used]] void teuInitEntry(long* stack) {
  teu::runInit(static_cast<int>(stack[0]), reinterpret_cast<char**>(stack + 1));
}

#if defined(__x86_64__)
asm(".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call teuInitEntry\n");
#elif defined(__aarch64__)
asm(".globl _start\n"
    "_start:\n"
    "  mov x29, #0\n"
    "  mov x0, sp\n"
    "  bl teuInitEntry\n");
#endif
