#include "napi/teu/shared_memory_clone.h"

#include <stdint.h>

// The child must not return through the caller's frame, so the entry is written by hand:
// teuCloneEntry(clone_args*, size, run, argument).
extern "C" long teuCloneEntry(clone_args* arguments, size_t size, int (*run)(void*),
                              void* argument) noexcept;

#if defined(__x86_64__)
asm(".text\n"
    ".hidden teuCloneEntry\n"
    ".globl teuCloneEntry\n"
    ".type teuCloneEntry, @function\n"
    "teuCloneEntry:\n"
    "  mov %rdx, %r8\n"
    "  mov %rcx, %r9\n"
    "  mov $435, %eax\n"  // clone3
    "  syscall\n"
    "  test %rax, %rax\n"
    "  jz 1f\n"
    "  ret\n"
    "1:\n"
    "  xor %ebp, %ebp\n"
    "  mov %r9, %rdi\n"
    "  call *%r8\n"
    "  mov %eax, %edi\n"
    "  mov $60, %eax\n"  // exit
    "  syscall\n"
    "  hlt\n"
    ".size teuCloneEntry, .-teuCloneEntry\n");
#elif defined(__aarch64__)
asm(".text\n"
    ".hidden teuCloneEntry\n"
    ".globl teuCloneEntry\n"
    ".type teuCloneEntry, %function\n"
    "teuCloneEntry:\n"
    "  mov x9, x2\n"
    "  mov x10, x3\n"
    "  mov x8, #435\n"  // clone3
    "  svc #0\n"
    "  cbz x0, 1f\n"
    "  ret\n"
    "1:\n"
    "  mov x29, #0\n"
    "  mov x0, x10\n"
    "  blr x9\n"
    "  mov x8, #93\n"  // exit
    "  svc #0\n"
    "  brk #1\n"
    ".size teuCloneEntry, .-teuCloneEntry\n");
#endif

namespace teu {

long cloneSharingMemory(unsigned long long flags, void* stack, size_t stackSize, int (*run)(void*),
                        void* argument) noexcept {
  clone_args arguments{};
  arguments.flags = flags | CLONE_VM | CLONE_VFORK;
  arguments.stack = reinterpret_cast<uint64_t>(stack);
  arguments.stack_size = stackSize;
  return teuCloneEntry(&arguments, sizeof arguments, run, argument);
}

}  // namespace teu
