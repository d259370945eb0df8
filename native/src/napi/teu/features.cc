#include "napi/teu/features.h"

#include <linux/seccomp.h>

#include "napi/teu/memory_file.h"
#include "sys/files.h"
#include "sys/mounts.h"
#include "sys/processes.h"
#include "sys/raw_syscall.h"

namespace teu {
namespace {

constexpr int kEnosys = 38;
constexpr int kEnodev = 19;

/// Called with nonsense, a known system call finds fault with it; an unknown one answers ENOSYS.
template <typename... Arguments>
bool isKnown(long number, Arguments... arguments) noexcept {
  return sys::call(number, arguments...) != -kEnosys;
}

bool exists(const char* path) noexcept {
  return static_cast<bool>(sys::openAt(abi::kAtFdCwd, path, abi::kOpenPath));
}

bool hasClone3() noexcept {
  return isKnown(__NR_clone3, 0, 0);
}
bool hasOpenat2() noexcept {
  return isKnown(__NR_openat2, -1, 0, 0, 0);
}
bool hasPidfd() noexcept {
  return static_cast<bool>(sys::openPidfd(sys::currentPid()));
}
bool hasCloseRange() noexcept {
  return static_cast<bool>(sys::closeRange(sys::kHighestFd, sys::kHighestFd, true));
}
bool hasMountApi() noexcept {
  return isKnown(__NR_fsopen, 0, ~0U) && isKnown(__NR_move_mount, -1, 0, -1, 0, ~0U);
}
bool hasMountSetattr() noexcept {
  return isKnown(__NR_mount_setattr, -1, 0, 0, 0, 0);
}
bool hasSeccompFilter() noexcept {
  const unsigned action = SECCOMP_RET_ERRNO;
  return sys::call(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}
bool hasTimeNamespace() noexcept {
  return exists("/proc/self/ns/time");
}
bool hasUserNamespace() noexcept {
  return exists("/proc/self/ns/user");
}
bool hasCgroupNamespace() noexcept {
  return exists("/proc/self/ns/cgroup");
}
bool hasCgroup2() noexcept {
  Result<UniqueFd> fileSystem = sys::openFileSystem("cgroup2");
  return fileSystem || fileSystem.error().number != kEnodev;
}
bool hasMemfdExec() noexcept {
  return static_cast<bool>(makeMemoryFile("teu-probe", MemoryFileUse::kProgram));
}

constexpr Feature kFeatures[] = {
    {"clone3", hasClone3},
    {"openat2", hasOpenat2},
    {"pidfd", hasPidfd},
    {"closeRange", hasCloseRange},
    {"mountApi", hasMountApi},
    {"mountSetattr", hasMountSetattr},
    {"seccompFilter", hasSeccompFilter},
    {"timeNamespace", hasTimeNamespace},
    {"userNamespace", hasUserNamespace},
    {"cgroupNamespace", hasCgroupNamespace},
    {"cgroup2", hasCgroup2},
    {"memfdExec", hasMemfdExec},
};

}  // namespace

FeatureList kernelFeatures() noexcept {
  return {.data = kFeatures, .size = sizeof kFeatures / sizeof kFeatures[0]};
}

}  // namespace teu
