#include "tree/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <utility>

#include "sys/unique_fd.h"
#include "tree/tree_walk.h"

namespace teu::tree {
namespace {

/// stx_blocks counts in these units whatever the file system (statx(2)).
constexpr std::uint64_t kBlockBytes = 512;
constexpr unsigned kExtents = 128;

/// A request for extents with room for the answer behind it, as the ioctl wants it.
struct ExtentRequest {
  alignas(fiemap) std::array<char, sizeof(fiemap) + kExtents * sizeof(fiemap_extent)> bytes{};

  fiemap* head() noexcept { return reinterpret_cast<fiemap*>(bytes.data()); }
};

/// Opens a file of a tree that a container may write to. It could put a device in the place of the
/// file, which does things when it is opened; so the object is looked at first and then opened.
UniqueFd openRegular(const char* name) {
  const UniqueFd object(openat(AT_FDCWD, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!object || fstat(object.get(), &info) != 0 || !S_ISREG(info.st_mode)) return UniqueFd();
  const std::string path = "/proc/self/fd/" + std::to_string(object.get());
  return UniqueFd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

class Meter final : public TreeVisitor {
 public:
  Meter(bool exclusive, Usage& usage) : exclusive_(exclusive), usage_(usage) {}

  Outcome visit(const Visited& entry, bool&) override {
    const struct statx& info = entry.info;
    const bool named = !entry.isDirectory() && info.stx_nlink > 1;
    if (named && !seen_.emplace(entry.device(), info.stx_ino).second) return {};
    const std::uint64_t bytes = info.stx_blocks * kBlockBytes;
    const bool ask = exclusive_ && entry.isFile() && bytes > 0;
    usage_.inodes += 1;
    usage_.bytes += bytes;
    usage_.exclusive += bytes - (ask ? std::min(bytes, sharedBytes(entry.name)) : 0);
    return {};
  }

  Outcome unreadable(const std::string& path, const char* syscall, int number) override {
    const bool gone = number == ENOENT || number == ENOTDIR || number == ELOOP;
    if (gone || number == EXDEV) return {};
    return failureAt(syscall, "measure", path, number);
  }

 private:
  std::uint64_t sharedBytes(const char* name) {
    const UniqueFd fd(openRegular(name));
    if (!fd) return 0;
    std::uint64_t shared = 0;
    std::uint64_t start = 0;
    for (bool last = false; !last;) {
      ExtentRequest request;
      fiemap* map = request.head();
      map->fm_start = start;
      map->fm_length = FIEMAP_MAX_OFFSET - start;
      map->fm_extent_count = kExtents;
      if (ioctl(fd.get(), FS_IOC_FIEMAP, map) != 0) {
        exclusive_ = exclusive_ && errno != EOPNOTSUPP && errno != ENOTTY;
        return shared;
      }
      last = map->fm_mapped_extents == 0;
      for (unsigned i = 0; i < map->fm_mapped_extents; i += 1) {
        const fiemap_extent& extent = map->fm_extents[i];
        if ((extent.fe_flags & FIEMAP_EXTENT_SHARED) != 0) shared += extent.fe_length;
        start = extent.fe_logical + extent.fe_length;
        last = (extent.fe_flags & FIEMAP_EXTENT_LAST) != 0;
      }
    }
    return shared;
  }

  bool exclusive_;
  Usage& usage_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;
};

}  // namespace

Outcome measureTree(const char* root, bool exclusive, Usage& usage) {
  Meter meter(exclusive, usage);
  Outcome walked = walkTree(root, meter);
  // Somebody moves directories in a tree in use: the rest is left out, as what vanishes is.
  if (!walked && walked.failure().code == code::kMoved) return {};
  return walked;
}

}  // namespace teu::tree
