#include "cage/cage.h"

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

#include "sys/mount_data.h"
#include "sys/unique_fd.h"

namespace teu::cage {
namespace {

using layer::sysFailure;

constexpr rlim_t kMaxFiles = 4096;  // Removal holds one descriptor per level of a lower tree.
constexpr const char* kMounting = "perform the driver's mounts";
constexpr unsigned long kHostFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

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

/// An empty file system over a directory, in this namespace only.
Outcome coverWithEmpty(const std::string& directory, unsigned long flags) {
  const MountCall empty{.type = "tmpfs", .source = "none", .flags = flags, .data = "size=4k"};
  return performMount(empty, directory);
}

Outcome performAll(const std::vector<MountCall>& mounts, const std::string& root) {
  for (const MountCall& call : mounts) {
    if (Outcome mounted = performMount(call, root); !mounted) return mounted;
  }
  return {};
}

/// Of the mounts alone: the file systems behind them may be mounted elsewhere, for writing.
Outcome makeReadOnly(const std::string& root, unsigned recursive) {
  const UniqueFd top = openPlace(root, "");
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (!top || syscall(SYS_mount_setattr, top.get(), "", AT_EMPTY_PATH | recursive, &attributes,
                      sizeof attributes) != 0) {
    return sysFailure("mount_setattr", kMounting, errno);
  }
  return {};
}

Outcome mountTree(const Tree& tree, const std::string& directory) {
  const std::string root = directory + '/' + tree.name;
  if (mkdir(root.c_str(), 0700) != 0) return sysFailure("mkdir", "enter cage", errno);
  if (Outcome mounted = performAll(tree.mounts, root); !mounted) return mounted;
  return tree.readOnly ? makeReadOnly(root, AT_RECURSIVE) : Outcome{};
}

/// Nothing can be mounted, and little be allocated, from here on.
Outcome lockIn(const std::string& directory, std::uint64_t capabilities) {
  if (Outcome pivoted = pivotInto(directory); !pivoted) return pivoted;
  if (Outcome limited = limitResources(); !limited) return limited;
  return dropPrivileges(capabilities);
}

}  // namespace

Outcome closeBeyond(int last) {
  if (syscall(SYS_close_range, last + 1, ~0U, 0) != 0) {
    return sysFailure("close_range", "enter cage", errno);
  }
  return {};
}

Outcome enterCage(const std::string& directory, const std::vector<MountCall>& mounts,
                  std::uint64_t capabilities) {
  umask(0);
  if (Outcome left = leaveNamespaces(); !left) return left;
  if (Outcome mounted = performAll(mounts, directory); !mounted) return mounted;
  return lockIn(directory, capabilities);
}

Outcome enterCageOfTrees(const std::string& directory, const std::vector<Tree>& trees,
                         std::uint64_t capabilities) {
  umask(0);
  if (Outcome left = leaveNamespaces(); !left) return left;
  if (Outcome covered = coverWithEmpty(directory, 0); !covered) return covered;
  for (const Tree& tree : trees) {
    if (Outcome mounted = mountTree(tree, directory); !mounted) return mounted;
  }
  if (Outcome closed = makeReadOnly(directory, 0); !closed) return closed;
  return lockIn(directory, capabilities);
}

Outcome enterEmptyCage() {
  umask(0);
  if (Outcome left = leaveNamespaces(); !left) return left;
  // Any directory does: the empty file system covers it in this namespace only.
  if (Outcome covered = coverWithEmpty("/proc", MS_RDONLY); !covered) return covered;
  return lockIn("/proc", 0);
}

}  // namespace teu::cage
