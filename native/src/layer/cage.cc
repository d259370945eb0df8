#include "layer/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "sys/mount_data.h"
#include "sys/unique_fd.h"

namespace teu::layer {
namespace {

constexpr rlim_t kMaxFiles = 4096;  // Removal holds one descriptor per level of a lower tree.
constexpr const char* kMounting = "perform the driver's mounts";
constexpr unsigned long kHostFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

// Enough to own, mode and link anything, to make devices and to set file capabilities; not enough
// to mount, to join a namespace, to trace, or to send a packet.
constexpr std::uint64_t kKeptCapabilities = 1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE |
                                            1ULL << CAP_FOWNER | 1ULL << CAP_FSETID |
                                            1ULL << CAP_MKNOD | 1ULL << CAP_SETFCAP;

Outcome leaveNamespaces() {
  if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0) {
    return sysFailure("unshare", "enter cage", errno);
  }
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return sysFailure("mount", "make mounts private", errno);
  }
  return {};
}

/// Opens the place of a mount: on top of what is mounted at `root`, or a directory in it. That lies
/// in an image, so no link in it may lead out.
UniqueFd openPlace(const std::string& root, const std::string& target) {
  const UniqueFd top(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!top) return UniqueFd();
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const char* path = target.empty() ? "." : target.c_str();
  return UniqueFd(static_cast<int>(syscall(SYS_openat2, top.get(), path, &how, sizeof how)));
}

std::string pathOf(const UniqueFd& place) {
  return "/proc/self/fd/" + std::to_string(place.get());
}

Outcome performMount(const MountCall& call, const std::string& root) {
  const bool bind = (call.flags & MS_BIND) != 0;
  const unsigned long flags = bind ? call.flags : call.flags | kHostFlags;
  const MountData data(call.data.c_str());
  if (data.options() == nullptr) return sysFailure("mount", kMounting, E2BIG);
  const UniqueFd place = openPlace(root, call.target);
  if (!place) return sysFailure("openat2", kMounting, errno);
  if (*data.directory() != '\0' && chdir(data.directory()) != 0) {
    return sysFailure("chdir", kMounting, errno);
  }
  if (mount(call.source.c_str(), pathOf(place).c_str(), call.type.c_str(), flags, data.options()) !=
      0) {
    return sysFailure("mount", kMounting, errno);
  }
  if (!bind) return {};
  // The flags of a bind mount are taken only by a second call, at what is mounted now.
  const UniqueFd mounted = openPlace(root, call.target);
  if (!mounted) return sysFailure("openat2", kMounting, errno);
  const unsigned long again = (call.flags & ~static_cast<unsigned long>(MS_REC)) | kHostFlags;
  if (mount(nullptr, pathOf(mounted).c_str(), nullptr, again | MS_REMOUNT, nullptr) != 0) {
    return sysFailure("mount", kMounting, errno);
  }
  return {};
}

/// Makes `directory`, a mount point, the root; what was the root is gone for good.
Outcome pivotInto(const std::string& directory) {
  if (chdir(directory.c_str()) != 0) return sysFailure("chdir", "enter cage", errno);
  if (syscall(SYS_pivot_root, ".", ".") != 0) return sysFailure("pivot_root", "enter cage", errno);
  if (umount2(".", MNT_DETACH) != 0) return sysFailure("umount2", "enter cage", errno);
  if (chdir("/") != 0) return sysFailure("chdir", "enter cage", errno);
  return {};
}

Outcome limitResources() {
  const rlimit files{kMaxFiles, kMaxFiles};
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_NOFILE, &files) != 0 || setrlimit(RLIMIT_CORE, &none) != 0) {
    return sysFailure("setrlimit", "enter cage", errno);
  }
#ifndef TEU_SANITIZED  // AddressSanitizer reserves terabytes of address space.
  constexpr rlim_t kAddressSpace = rlim_t{1} << 30;
  const rlimit memory{kAddressSpace, kAddressSpace};
  if (setrlimit(RLIMIT_AS, &memory) != 0) return sysFailure("setrlimit", "enter cage", errno);
#endif
  return {};
}

Outcome dropPrivileges(std::uint64_t kept) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return sysFailure("prctl", "enter cage", errno);
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if ((kept >> capability & 1) == 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 &&
        errno != EINVAL) {
      return sysFailure("prctl", "drop capabilities", errno);
    }
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (int word = 0; word < 2; ++word) {
    data[word].effective = static_cast<std::uint32_t>(kept >> (32 * word));
    data[word].permitted = data[word].effective;
  }
  if (syscall(SYS_capset, &header, data) != 0) {
    return sysFailure("capset", "drop capabilities", errno);
  }
  return {};
}

}  // namespace

Outcome closeStrangers(const Options& options) {
  const int last = std::max({STDERR_FILENO, options.blobFd, options.copyFd, options.decodedFd});
  if (syscall(SYS_close_range, last + 1, ~0U, 0) != 0) {
    return sysFailure("close_range", "enter cage", errno);
  }
  return {};
}

Outcome enterCage(const Options& options) {
  umask(0);
  if (Outcome left = leaveNamespaces(); !left) return left;
  for (const MountCall& call : options.mounts) {
    if (Outcome mounted = performMount(call, options.cageDirectory); !mounted) return mounted;
  }
  if (Outcome pivoted = pivotInto(options.cageDirectory); !pivoted) return pivoted;
  if (Outcome limited = limitResources(); !limited) return limited;
  return dropPrivileges(kKeptCapabilities);
}

Outcome enterEmptyCage() {
  umask(0);
  if (Outcome left = leaveNamespaces(); !left) return left;
  // Any directory does: the empty tmpfs covers it in this namespace only.
  const MountCall empty{.type = "tmpfs", .source = "none", .flags = MS_RDONLY, .data = "size=4k"};
  if (Outcome mounted = performMount(empty, "/proc"); !mounted) return mounted;
  if (Outcome pivoted = pivotInto("/proc"); !pivoted) return pivoted;
  if (Outcome limited = limitResources(); !limited) return limited;
  return dropPrivileges(0);
}

}  // namespace teu::layer
