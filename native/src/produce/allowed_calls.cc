#include "produce/allowed_calls.h"

#include <sys/syscall.h>

#include "cage/syscall_filter.h"

namespace teu::produce {
namespace {

// Reading trees, writing to a descriptor that is open, and what libc needs for memory and threads.
// Nothing that changes a tree, no exec, no socket, no clone, no mount, no ioctl.
constexpr unsigned kAllowed[] = {
    SYS_openat,
    SYS_close,
    SYS_read,
    SYS_write,
    SYS_pread64,
    SYS_lseek,
    SYS_statx,
    SYS_fstat,
    SYS_newfstatat,
    SYS_getdents64,
    SYS_fchdir,
    SYS_readlinkat,
    SYS_lgetxattr,
    SYS_llistxattr,
    SYS_fcntl,
    SYS_fdatasync,
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_futex,
    SYS_sched_yield,
    SYS_rt_sigreturn,
    SYS_exit,
    SYS_rt_sigprocmask,
    SYS_rt_sigaction,
    SYS_exit_group,
    SYS_getpid,
    SYS_gettid,
    SYS_tgkill,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_getrandom,
    SYS_clock_gettime,
    SYS_restart_syscall,
};

}  // namespace

Outcome restrictSyscalls() {
  return cage::allowOnly(kAllowed);
}

}  // namespace teu::produce
