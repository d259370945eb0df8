import type { CapabilityName } from '@teu/container-defaults';

/**
 * Docker's default filter, as facts: what a container may call, by subject. What is not named here is refused with
 * EPERM; what is newer than our tables with ENOSYS, so that a C library falls back to what it did before.
 * A name that an architecture does not have is passed over for it.
 */
export const ALLOWED_SYSCALLS: Readonly<Record<string, string>> = {
  processes: `fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid getpgrp
    setpgid getsid setsid set_tid_address pidfd_open pidfd_send_signal prctl arch_prctl modify_ldt set_thread_area
    get_thread_area getcpu rseq membarrier process_mrelease restart_syscall times getrusage uname sysinfo
    uretprobe`,
  debugging: `ptrace process_vm_readv process_vm_writev`,
  credentials: `getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid
    getresgid32 getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32
    setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32 capget
    capset umask seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self`,
  limits: `getrlimit ugetrlimit setrlimit prlimit64 getpriority setpriority ioprio_get ioprio_set sched_yield
    sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam sched_getscheduler
    sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval
    sched_rr_get_interval_time64`,
  signals: `kill tkill tgkill sigaltstack sigprocmask sigreturn rt_sigaction rt_sigpending rt_sigprocmask
    rt_sigqueueinfo rt_tgsigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 signalfd
    signalfd4 pause alarm getitimer setitimer`,
  memory: `brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 mlockall munlock munlockall mseal
    remap_file_pages memfd_create memfd_secret map_shadow_stack pkey_alloc pkey_free pkey_mprotect`,
  opening: `open openat openat2 creat close close_range dup dup2 dup3 pipe pipe2 fcntl fcntl64 flock ioctl
    name_to_handle_at`,
  reading: `read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek _llseek sendfile
    sendfile64 copy_file_range splice tee vmsplice readahead fadvise64 fadvise64_64 fallocate ftruncate ftruncate64
    truncate truncate64 sync syncfs fsync fdatasync sync_file_range cachestat getdents getdents64`,
  names: `link linkat symlink symlinkat readlink readlinkat unlink unlinkat rename renameat renameat2 mkdir mkdirat
    rmdir mknod mknodat chdir fchdir getcwd`,
  attributes: `stat stat64 fstat fstat64 lstat lstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64
    statmount listmount access faccessat faccessat2 chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32
    fchownat lchown lchown32 utime utimes utimensat utimensat_time64 futimesat`,
  'extended attributes': `getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat listxattr
    llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat`,
  waiting: `poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 epoll_ctl
    epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 inotify_init inotify_init1
    inotify_add_watch inotify_rm_watch fanotify_mark`,
  'asynchronous reading': `io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64`,
  locking: `futex futex_time64 futex_wait futex_waitv futex_wake futex_requeue get_robust_list set_robust_list`,
  clocks: `time gettimeofday adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime
    clock_gettime64 clock_nanosleep clock_nanosleep_time64 nanosleep timer_create timer_delete timer_getoverrun
    timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64
    timerfd_settime timerfd_settime64`,
  sockets: `accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg
    recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair`,
  'System V and POSIX IPC': `ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat
    shmctl shmdt shmget mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend
    mq_timedsend_time64 mq_unlink`,
  randomness: `getrandom`,
};

/** What a capability in the bounding set adds. */
export const SYSCALLS_BY_CAPABILITY: Readonly<Partial<Record<CapabilityName, string>>> = {
  CAP_BPF: 'bpf',
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_PERFMON: 'perf_event_open',
  CAP_SYS_ADMIN: `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
    lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd
    setdomainname sethostname setns syslog umount umount2 unshare`,
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module init_module finit_module',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
  CAP_SYS_RAWIO: 'iopl ioperm',
  CAP_SYS_TIME: 'settimeofday stime clock_settime clock_settime64',
  CAP_SYS_TTY_CONFIG: 'vhangup',
  CAP_SYSLOG: 'syslog',
};

/** PER_LINUX, PER_LINUX32 and both with UNAME26 (personality(2)), and the question what is set. */
export const ALLOWED_PERSONALITIES: readonly number[] = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/**
 * Address families that socket(2) refuses: AF_ALG, whose kernel side has let containers write to each other's page
 * cache (CVE-2026-31431), and AF_VSOCK, which reaches the host past every network namespace.
 */
export const REFUSED_SOCKET_FAMILIES: readonly number[] = [38, 40];

/** CLONE_NEW* except NEWTIME, which clone(2) reads as part of the exit signal. */
export const NAMESPACE_CLONE_FLAGS = 0x7e020000;
