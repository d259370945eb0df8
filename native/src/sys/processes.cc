#include "sys/processes.h"

#include <linux/sched.h>

#include "sys/raw_syscall.h"

namespace teu::sys {
namespace {
constexpr int kEintr = 4;
constexpr unsigned long kSignalSetBytes = 8;
constexpr uint64_t kAllSignals = ~uint64_t{0};
constexpr int kSigChld = 17;
}  // namespace

Result<int> cloneProcess(const CloneOptions& options) noexcept {
  clone_args arguments{};
  arguments.flags = options.flags;
  arguments.exit_signal = static_cast<uint64_t>(options.exitSignal);
  if (options.pidfd != nullptr) {
    arguments.flags |= CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<uint64_t>(options.pidfd);
  }
  if (options.cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<uint64_t>(options.cgroup);
  }
  const long answer = call(__NR_clone3, &arguments, sizeof arguments);
  if (answer < 0) return statusOf(answer, "clone3");
  return static_cast<int>(answer);
}

Result<UniqueFd> openPidfd(int pid) noexcept {
  return fdOf(call(__NR_pidfd_open, pid, 0), "pidfd_open");
}

Status signalPidfd(int pidfd, int signal) noexcept {
  return statusOf(call(__NR_pidfd_send_signal, pidfd, signal, 0, 0), "pidfd_send_signal");
}

void exitProcess(int code) noexcept {
  for (;;) {
    call(__NR_exit_group, code);
    // Only a filter that forbids exit_group comes here.
    __builtin_trap();
  }
}

int currentPid() noexcept {
  return static_cast<int>(call(__NR_getpid));
}

Result<ExitStatus> reap(int pid) noexcept {
  constexpr int kNoHang = 1;
  constexpr int kAllChildren = 0x40000000;
  ExitStatus status;
  const long answer =
      call(__NR_wait4, pid, &status.waitStatus, kNoHang | kAllChildren, &status.usage);
  if (answer < 0) return statusOf(answer, "wait4");
  status.pid = static_cast<int>(answer);
  return static_cast<ExitStatus&&>(status);
}

Status waitFor(int pid) noexcept {
  constexpr int kAllChildren = 0x40000000;
  long answer = -kEintr;
  while (answer == -kEintr) answer = call(__NR_wait4, pid, 0, kAllChildren, 0);
  return statusOf(answer, "wait4");
}

Status setNamespace(int fd, uint64_t types) noexcept {
  return statusOf(call(__NR_setns, fd, types), "setns");
}

Status unshareNamespaces(uint64_t types) noexcept {
  return statusOf(call(__NR_unshare, types), "unshare");
}

Status newSession() noexcept {
  return statusOf(call(__NR_setsid), "setsid");
}

Status processControl(int option, unsigned long argument) noexcept {
  return statusOf(call(__NR_prctl, option, argument, 0, 0, 0), "prctl");
}

Status execute(const char* path, char* const* argv, char* const* env) noexcept {
  return statusOf(call(__NR_execve, path, argv, env), "execve");
}

Status setHostName(const char* name, size_t length) noexcept {
  return statusOf(call(__NR_sethostname, name, length), "sethostname");
}

Status setDomainName(const char* name, size_t length) noexcept {
  return statusOf(call(__NR_setdomainname, name, length), "setdomainname");
}

Status setLimit(unsigned resource, const abi::Rlimit64& limit) noexcept {
  return statusOf(call(__NR_prlimit64, 0, resource, &limit, 0), "prlimit64");
}

void setFileModeMask(unsigned mask) noexcept {
  call(__NR_umask, mask);
}

Status blockSignals(bool all) noexcept {
  constexpr int kSetMask = 2;
  const uint64_t set = all ? kAllSignals : 0;
  return statusOf(call(__NR_rt_sigprocmask, kSetMask, &set, 0, kSignalSetBytes), "rt_sigprocmask");
}

Result<UniqueFd> openChildSignals() noexcept {
  const uint64_t set = uint64_t{1} << (kSigChld - 1);
  const int flags = abi::kOpenCloseOnExec | abi::kOpenNonBlocking;
  return fdOf(call(__NR_signalfd4, -1, &set, kSignalSetBytes, flags), "signalfd4");
}

}  // namespace teu::sys
