#include "layer/allowed_calls.h"

#include <sys/syscall.h>

#include "cage/syscall_filter.h"

namespace teu::layer {
namespace {

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
    SYS_getrandom,    SYS_ppoll,  SYS_flistxattr,      SYS_fremovexattr,
};

}  // namespace

Outcome restrictSyscalls() {
  return cage::allowOnly(kAllowed);
}

}  // namespace teu::layer
