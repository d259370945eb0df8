#include "layer/tree_remover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "layer/entry_path.h"

namespace teu::layer {
namespace {

struct CloseStream {
  void operator()(DIR* stream) const noexcept { closedir(stream); }
};

class Remover {
 public:
  Remover(Keep keep, const DirectoryResolver& resolver) : keep_(keep), resolver_(resolver) {}

  /// `kept` tells whether something of it had to stay.
  Outcome remove(int parentFd, const std::string& name, const std::string& path, bool& kept) const {
    struct stat info {};
    if (fstatat(parentFd, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return errno == ENOENT ? Outcome{} : sysFailure("fstatat", "remove lower entry", errno);
    }
    const bool own = keep_ == Keep::kOwnEntries && resolver_.madeHere(path);
    kept = own;
    if (!S_ISDIR(info.st_mode)) {
      return own ? Outcome{} : unlink(parentFd, name, 0);
    }
    bool childKept = false;
    if (Outcome emptied = empty(parentFd, name, path, childKept); !emptied) return emptied;
    kept = own || childKept;
    return kept ? Outcome{} : unlink(parentFd, name, AT_REMOVEDIR);
  }

  Outcome empty(int parentFd, const std::string& name, const std::string& path, bool& kept) const {
    std::vector<std::string> names;
    UniqueFd fd(openat(parentFd, name.empty() ? "." : name.c_str(),
                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return sysFailure("openat", "remove lower entry", errno);
    if (Outcome listed = list(fd.get(), names); !listed) return listed;
    for (const std::string& child : names) {
      bool childKept = false;
      const std::string childPath = joinPath(path, child);
      if (Outcome removed = remove(fd.get(), child, childPath, childKept); !removed) return removed;
      kept = kept || childKept;
    }
    return {};
  }

 private:
  static Outcome unlink(int parentFd, const std::string& name, int flags) {
    if (unlinkat(parentFd, name.c_str(), flags) != 0 && errno != ENOENT) {
      return sysFailure("unlinkat", "remove lower entry", errno);
    }
    return {};
  }

  static Outcome list(int fd, std::vector<std::string>& names) {
    UniqueFd own(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!own) return sysFailure("fcntl", "list directory", errno);
    const std::unique_ptr<DIR, CloseStream> stream(fdopendir(own.get()));
    if (stream == nullptr) return sysFailure("fdopendir", "list directory", errno);
    (void)own.release();
    errno = 0;
    while (const dirent* item = readdir(stream.get())) {
      const std::string name = item->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    return errno == 0 ? Outcome{} : sysFailure("readdir", "list directory", errno);
  }

  const Keep keep_;
  const DirectoryResolver& resolver_;
};

}  // namespace

Outcome removeTree(const Directory& parent, const std::string& name, Keep keep,
                   const DirectoryResolver& resolver) {
  bool kept = false;
  return Remover(keep, resolver).remove(parent.fd.get(), name, joinPath(parent.path, name), kept);
}

Outcome removeChildren(const Directory& parent, const std::string& name, Keep keep,
                       const DirectoryResolver& resolver) {
  bool kept = false;
  const std::string path = name.empty() ? parent.path : joinPath(parent.path, name);
  return Remover(keep, resolver).empty(parent.fd.get(), name, path, kept);
}

}  // namespace teu::layer
