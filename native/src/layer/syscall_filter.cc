#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

#include "layer/cage.h"

namespace teu::layer {
namespace {

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#endif

// Reading the blob, writing the tree, and what libc needs for memory and threads. No exec, no
// socket, no clone, no mount, no ptrace, no bpf, no io_uring.
constexpr unsigned kAllowed[] = {
    SYS_pread64,      SYS_read,   SYS_write,           SYS_pwrite64,      SYS_openat,
    SYS_openat2,      SYS_close,  SYS_fstat,           SYS_newfstatat,    SYS_statx,
    SYS_fstatfs,      SYS_lseek,  SYS_getdents64,      SYS_readlinkat,    SYS_mkdirat,
    SYS_unlinkat,     SYS_linkat, SYS_symlinkat,       SYS_mknodat,       SYS_fchown,
    SYS_fchownat,     SYS_fchmod, SYS_fsetxattr,       SYS_utimensat,     SYS_ftruncate,
    SYS_fcntl,        SYS_fsync,  SYS_fdatasync,       SYS_syncfs,        SYS_sync_file_range,
    SYS_mmap,         SYS_munmap, SYS_mprotect,        SYS_mremap,        SYS_madvise,
    SYS_brk,          SYS_futex,  SYS_sched_yield,     SYS_rt_sigreturn,  SYS_rt_sigprocmask,
    SYS_rt_sigaction, SYS_exit,   SYS_exit_group,      SYS_clock_gettime, SYS_getpid,
    SYS_gettid,       SYS_tgkill, SYS_set_robust_list, SYS_rseq,          SYS_restart_syscall,
    SYS_getrandom,
};

constexpr sock_filter statement(unsigned short code, unsigned value) {
  return {code, 0, 0, value};
}

constexpr sock_filter jump(unsigned value, unsigned char whenEqual, unsigned char otherwise) {
  return {BPF_JMP | BPF_JEQ | BPF_K, whenEqual, otherwise, value};
}

[[maybe_unused]] std::vector<sock_filter> makeProgram() {
  constexpr unsigned short kLoad = BPF_LD | BPF_W | BPF_ABS;
  constexpr unsigned short kReturn = BPF_RET | BPF_K;
  std::vector<sock_filter> program = {
      statement(kLoad, offsetof(seccomp_data, arch)),
      jump(kArchitecture, 1, 0),
      statement(kReturn, SECCOMP_RET_KILL_PROCESS),
      statement(kLoad, offsetof(seccomp_data, nr)),
  };
  for (const unsigned number : kAllowed) {
    program.push_back(jump(number, 0, 1));
    program.push_back(statement(kReturn, SECCOMP_RET_ALLOW));
  }
  program.push_back(statement(kReturn, SECCOMP_RET_ERRNO | EPERM));
  return program;
}

}  // namespace

Outcome restrictSyscalls() {
#ifndef TEU_SANITIZED  // The sanitizers' run-time makes calls of its own.
  const std::vector<sock_filter> program = makeProgram();
  const sock_fprog filter{static_cast<unsigned short>(program.size()),
                          const_cast<sock_filter*>(program.data())};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0) {
    return sysFailure("seccomp", "enter cage", errno);
  }
#endif
  return {};
}

}  // namespace teu::layer
