/**
 * x32 runs on the x86_64 table with bit 30 set. Calls whose arguments hold pointers or longs in memory have numbers
 * of their own, and take the place of their 64-bit namesakes (arch/x86/entry/syscalls/syscall_64.tbl, "x32").
 */
export const X32_BIT = 0x40000000;

export const X32_OWN_SYSCALLS = `
512 rt_sigaction rt_sigreturn ioctl readv writev recvfrom sendmsg recvmsg execve ptrace
522 rt_sigpending rt_sigtimedwait rt_sigqueueinfo sigaltstack timer_create mq_notify kexec_load
529 waitid set_robust_list get_robust_list vmsplice move_pages preadv pwritev rt_tgsigqueueinfo
537 recvmmsg sendmmsg process_vm_readv process_vm_writev setsockopt getsockopt io_setup io_submit
545 execveat preadv2 pwritev2
`;

/** Calls of x86_64 that x32 never had. */
export const X32_ABSENT_SYSCALLS: readonly string[] = [
  'uselib',
  '_sysctl',
  'create_module',
  'get_kernel_syms',
  'query_module',
  'nfsservctl',
  'set_thread_area',
  'get_thread_area',
  'epoll_ctl_old',
  'epoll_wait_old',
  'vserver',
];
