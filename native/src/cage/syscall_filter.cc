#include "cage/syscall_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

namespace teu::cage {
namespace {

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#endif

constexpr sock_filter statement(unsigned short code, unsigned value) {
  return {code, 0, 0, value};
}

constexpr sock_filter jump(unsigned value, unsigned char whenEqual, unsigned char otherwise) {
  return {BPF_JMP | BPF_JEQ | BPF_K, whenEqual, otherwise, value};
}

[[maybe_unused]] std::vector<sock_filter> makeProgram(std::span<const unsigned> allowed) {
  constexpr unsigned short kLoad = BPF_LD | BPF_W | BPF_ABS;
  constexpr unsigned short kReturn = BPF_RET | BPF_K;
  std::vector<sock_filter> program = {
      statement(kLoad, offsetof(seccomp_data, arch)),
      jump(kArchitecture, 1, 0),
      statement(kReturn, SECCOMP_RET_KILL_PROCESS),
      statement(kLoad, offsetof(seccomp_data, nr)),
  };
  for (const unsigned number : allowed) {
    program.push_back(jump(number, 0, 1));
    program.push_back(statement(kReturn, SECCOMP_RET_ALLOW));
  }
  program.push_back(statement(kReturn, SECCOMP_RET_ERRNO | EPERM));
  return program;
}

}  // namespace

Outcome allowOnly([[maybe_unused]] std::span<const unsigned> numbers) {
#ifndef TEU_SANITIZED  // The sanitizers' run-time makes calls of its own.
  const std::vector<sock_filter> program = makeProgram(numbers);
  const sock_fprog filter{static_cast<unsigned short>(program.size()),
                          const_cast<sock_filter*>(program.data())};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0) {
    return layer::sysFailure("seccomp", "enter cage", errno);
  }
#endif
  return {};
}

}  // namespace teu::cage
