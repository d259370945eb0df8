#include "layer/directory_resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <deque>
#include <vector>

#include "layer/entry_path.h"

namespace teu::layer {
namespace {

constexpr std::size_t kCacheSize = 128;
constexpr int kMaxLinks = 40;  // As the kernel's MAXSYMLINKS.
constexpr unsigned kImplicitMode = 0755;

int openInRoot(int rootFd, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  for (;;) {
    const long fd =
        syscall(SYS_openat2, rootFd, path.empty() ? "." : path.c_str(), &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return static_cast<int>(fd);
  }
}

void prependParts(std::string_view target, std::deque<std::string>& parts) {
  std::vector<std::string> added;
  while (!target.empty()) {
    const std::size_t slash = target.find('/');
    const std::string_view part = target.substr(0, slash);
    target.remove_prefix(slash == std::string_view::npos ? target.size() : slash + 1);
    if (!part.empty() && part != ".") added.emplace_back(part);
  }
  parts.insert(parts.begin(), added.begin(), added.end());
}

/// Whether a link at `path` leads, read as the kernel would on a host, to an absolute place or
/// above the tree.
bool leavesTree(std::string_view path, std::string_view target) {
  if (target.starts_with('/')) return true;
  std::deque<std::string> parts;
  prependParts(parentOf(path), parts);
  std::size_t depth = parts.size();
  parts.clear();
  prependParts(target, parts);
  for (const std::string& part : parts) {
    if (part != "..") {
      ++depth;
    } else if (depth == 0) {
      return true;
    } else {
      --depth;
    }
  }
  return false;
}

}  // namespace

void DirectoryResolver::noteLink(const std::string& path, std::string_view target) {
  if (leavesTree(path, target)) leavingLinks_.insert(path);
}

Outcome DirectoryResolver::open(const std::string& path, bool create,
                                std::shared_ptr<Directory>& directory) {
  if (const auto known = cache_.find(path); known != cache_.end()) {
    directory = known->second;
    return {};
  }
  UniqueFd fd(openInRoot(rootFd_, path, O_PATH | O_DIRECTORY));
  if (fd) {
    directory = std::make_shared<Directory>(std::move(fd), path);
  } else if (errno == ELOOP) {
    std::string canonical;
    if (Outcome found = canonicalize(path, canonical); !found) return found;
    if (Outcome opened = open(canonical, create, directory); !opened) return opened;
  } else if (errno == ENOENT && standalone_) {
    return refused(code::kNeedsParent, "the layer does not have the directory \"" + path + "\"");
  } else if (errno == ENOENT && create) {
    if (Outcome made = makeMissing(path, directory); !made) return made;
  } else if (errno == ENOTDIR) {
    return refused(code::kNotDirectory, "\"" + path + "\" on its way is not a directory");
  } else {
    return sysFailure("openat2", "open parent directory", errno);
  }
  if (cache_.size() >= kCacheSize) cache_.clear();
  cache_[path] = directory;
  return {};
}

Outcome DirectoryResolver::makeMissing(const std::string& path,
                                       std::shared_ptr<Directory>& directory) {
  std::shared_ptr<Directory> parent;
  if (Outcome opened = open(std::string(parentOf(path)), true, parent); !opened) return opened;
  const std::string base(baseOf(path));
  if (mkdirat(parent->fd.get(), base.c_str(), kImplicitMode) != 0 && errno != EEXIST) {
    return sysFailure("mkdirat", "make parent directory", errno);
  }
  const std::string canonical = joinPath(parent->path, base);
  noteMade(canonical);
  UniqueFd fd(openInRoot(rootFd_, canonical, O_PATH | O_DIRECTORY));
  if (!fd) return sysFailure("openat2", "open parent directory", errno);
  directory = std::make_shared<Directory>(std::move(fd), canonical);
  return {};
}

Outcome DirectoryResolver::canonicalize(const std::string& path, std::string& canonical) const {
  std::deque<std::string> parts;
  prependParts(path, parts);
  canonical.clear();
  for (int links = 0; !parts.empty();) {
    const std::string part = std::move(parts.front());
    parts.pop_front();
    if (part == "..") {
      canonical = parentOf(canonical);
      continue;
    }
    const std::string here = joinPath(canonical, part);
    UniqueFd fd(openInRoot(rootFd_, here, O_PATH | O_NOFOLLOW));
    struct stat info {};
    if (!fd && errno != ENOENT && errno != ENOTDIR) {
      return sysFailure("openat2", "resolve parent directory", errno);
    }
    if (!fd || fstat(fd.get(), &info) != 0 || !S_ISLNK(info.st_mode)) {
      canonical = here;
      continue;
    }
    if (leavingLinks_.contains(here)) {
      return refused(code::kLinkParent, "it would be written through \"" + here +
                                            "\", a link of the same layer that "
                                            "is absolute or leaves the tree");
    }
    if (++links > kMaxLinks) return refused(code::kLinkParent, "links on its way form a loop");
    char target[PATH_MAX];
    const ssize_t size = readlinkat(fd.get(), "", target, sizeof target);
    if (size < 0) return sysFailure("readlinkat", "resolve parent directory", errno);
    const std::string_view text(target, static_cast<std::size_t>(size));
    if (text.starts_with('/')) canonical.clear();
    prependParts(text, parts);
  }
  return {};
}

}  // namespace teu::layer
