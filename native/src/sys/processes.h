// Making, naming, signalling and reaping processes, and the namespaces they are in.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sys/kernel_abi.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu::sys {

struct CloneOptions {
  uint64_t flags = 0;    ///< CLONE_*
  int exitSignal = 0;    ///< told to the parent
  int cgroup = -1;       ///< directory for CLONE_INTO_CGROUP, or -1
  int* pidfd = nullptr;  ///< filled in, close-on-exec, if not null
};

/// clone3(2) that returns twice, as fork does: 0 in the child. Never with CLONE_VM.
Result<int> cloneProcess(const CloneOptions& options) noexcept;

Result<UniqueFd> openPidfd(int pid) noexcept;
Status signalPidfd(int pidfd, int signal) noexcept;
[[noreturn]] void exitProcess(int code) noexcept;
int currentPid() noexcept;

struct ExitStatus {
  int pid = 0;  ///< 0: nobody has ended
  int waitStatus = 0;
  abi::Rusage usage{};
};
/// wait4(2) without blocking; `pid` -1 is any child.
Result<ExitStatus> reap(int pid) noexcept;
/// Blocks until that child has ended.
Status waitFor(int pid) noexcept;

Status setNamespace(int fd, uint64_t types) noexcept;
Status unshareNamespaces(uint64_t types) noexcept;
Status newSession() noexcept;
Status processControl(int option, unsigned long argument) noexcept;
Status execute(const char* path, char* const* argv, char* const* env) noexcept;
Status setHostName(const char* name, size_t length) noexcept;
Status setDomainName(const char* name, size_t length) noexcept;
Status setLimit(unsigned resource, const abi::Rlimit64& limit) noexcept;
void setFileModeMask(unsigned mask) noexcept;
/// Blocks every signal (or none).
Status blockSignals(bool all) noexcept;
Result<UniqueFd> openChildSignals() noexcept;

}  // namespace teu::sys
