#include "graft/allowed_calls.h"

#include <sys/syscall.h>

#include "cage/syscall_filter.h"

namespace teu::graft {
namespace {

// Reading trees, writing one, and what libc needs for memory. No exec, no socket, no clone, no
// mount, no ioctl, no ptrace, no bpf: what CAP_SYS_ADMIN is kept for are trusted extended
// attributes.
constexpr unsigned kAllowed[] = {
    SYS_openat,          SYS_close,          SYS_read,          SYS_write,
    SYS_pread64,         SYS_pwrite64,       SYS_lseek,         SYS_statx,
    SYS_fstat,           SYS_newfstatat,     SYS_getdents64,    SYS_fchdir,
    SYS_readlinkat,      SYS_lgetxattr,      SYS_llistxattr,    SYS_lsetxattr,
    SYS_lremovexattr,    SYS_mkdirat,        SYS_unlinkat,      SYS_linkat,
    SYS_symlinkat,       SYS_mknodat,        SYS_fchownat,      SYS_fchmodat,
    SYS_utimensat,       SYS_ftruncate,      SYS_fcntl,         SYS_copy_file_range,
    SYS_syncfs,          SYS_mmap,           SYS_munmap,        SYS_mprotect,
    SYS_mremap,          SYS_madvise,        SYS_brk,           SYS_futex,
    SYS_rt_sigreturn,    SYS_rt_sigprocmask, SYS_rt_sigaction,  SYS_exit,
    SYS_exit_group,      SYS_getpid,         SYS_gettid,        SYS_tgkill,
    SYS_restart_syscall, SYS_getrandom,      SYS_clock_gettime,
};

}  // namespace

tree::Outcome restrictSyscalls() {
  return cage::allowOnly(kAllowed);
}

}  // namespace teu::graft
