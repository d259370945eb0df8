#include "dm/space_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/statfs.h>

#include <algorithm>
#include <string>

#include "dm/ioctl.h"
#include "sys/files.h"

namespace teu::dm {
namespace {

// fs/ext4/ext4.h; the kernel's headers for programs do not have it before Linux 6.13.
constexpr unsigned long kExt4Resize = _IOW('f', 16, std::uint64_t);

// fs/xfs/libxfs/xfs_fs.h; xfslibs-dev would bring it, and nothing else that is needed.
struct XfsReserved {
  std::uint64_t blocks;
  std::uint64_t available;
};
struct XfsGrowth {
  std::uint64_t newBlocks;
  std::uint32_t maximumPercentOfInodes;
};
struct XfsGeometry {
  std::uint32_t blockBytes;
  std::uint32_t between[6];
  std::uint32_t maximumPercentOfInodes;
  std::uint64_t dataBlocks;
  std::uint64_t realtimeBlocks;
  std::uint64_t realtimeExtents;
  std::uint64_t logStart;
  std::uint8_t rest[48];
};
static_assert(sizeof(XfsGeometry) == 112);
constexpr unsigned long kXfsGeometry = _IOR('X', 100, XfsGeometry);
constexpr unsigned long kXfsGrow = _IOW('X', 110, XfsGrowth);
constexpr unsigned long kXfsSetReserved = _IOWR('X', 114, XfsReserved);
constexpr unsigned long kXfsGetReserved = _IOR('X', 115, XfsReserved);

/// What both keep back by themselves is at most this part, and that many bytes.
constexpr std::uint64_t kUsualPart = 50;
constexpr std::uint64_t kUsualBytes = 16 << 20;

/// Part of what is added that becomes tables of the file system: inodes of 256 bytes for each 16
/// KiB, and maps.
constexpr std::uint64_t kTablesPart = 50;

Result<struct statfs> ask(int mount) {
  struct statfs found {};
  const Status asked = statusOf(sys::call(__NR_fstatfs, mount, &found), "fstatfs");
  if (!asked) return asked.during("measure a volume");
  return static_cast<struct statfs&&>(found);
}

/// The ioctls want a file of the file system, and a mount is none.
Result<UniqueFd> openRoot(int mount) {
  return sys::openAt(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

Status keepBack(int mount, FilesystemType type, const DeviceNumber& device, std::uint64_t blocks) {
  if (type == FilesystemType::xfs) {
    Result<UniqueFd> root = openRoot(mount);
    if (!root) return root.status();
    XfsReserved reserved{.blocks = blocks, .available = 0};
    return control(root.value().get(), kXfsSetReserved, &reserved, "limit a volume");
  }
  const std::string path = "/sys/fs/ext4/dm-" + std::to_string(device.minor) + "/reserved_clusters";
  Result<UniqueFd> file = sys::openAt(AT_FDCWD, path.c_str(), O_WRONLY | O_CLOEXEC);
  if (!file) return file.status().during("limit a volume");
  const std::string text = std::to_string(blocks);
  return sys::writeAll(file.value().get(), text.data(), text.size()).during("limit a volume");
}

/// Grows by so many bytes and what they need of tables.
Status grow(int mount, FilesystemType type, int device, std::uint64_t bytes,
            std::uint64_t blockBytes) {
  Result<UniqueFd> root = openRoot(mount);
  if (!root) return root.status();
  const std::uint64_t more = (bytes + bytes / kTablesPart + blockBytes - 1) / blockBytes;
  if (type == FilesystemType::ext4) {
    // What the kernel tells of a mounted one is without its tables.
    Result<std::uint64_t> all = countExt4Blocks(device);
    if (!all) return all.status();
    std::uint64_t blocks = all.value() + more;
    return control(root.value().get(), kExt4Resize, &blocks, "enlarge a volume");
  }
  XfsGeometry geometry{};
  const Status asked = control(root.value().get(), kXfsGeometry, &geometry, "measure a volume");
  if (!asked) return asked;
  XfsGrowth growth{.newBlocks = geometry.dataBlocks + more,
                   .maximumPercentOfInodes = geometry.maximumPercentOfInodes};
  return control(root.value().get(), kXfsGrow, &growth, "enlarge a volume");
}

}  // namespace

Status limitSpace(int mount, FilesystemType type, const OpenDevice& device,
                  std::uint64_t maximumBytes) {
  Result<struct statfs> found = ask(mount);
  if (!found) return found.status();
  const auto blockBytes = static_cast<std::uint64_t>(found.value().f_bsize);
  const std::uint64_t total = found.value().f_blocks * blockBytes;
  if (maximumBytes > total) {
    const Status grown = grow(mount, type, device.fd, maximumBytes - total, blockBytes);
    if (!grown) return grown;
    found = ask(mount);
    if (!found) return found.status();
  }
  const std::uint64_t blocks = found.value().f_blocks;
  const std::uint64_t maximum = maximumBytes / blockBytes;
  return keepBack(mount, type, device.number, blocks > maximum ? blocks - maximum : 0);
}

Status unlimitSpace(int mount, FilesystemType type, const DeviceNumber& device) {
  Result<struct statfs> found = ask(mount);
  if (!found) return found.status();
  const auto blockBytes = static_cast<std::uint64_t>(found.value().f_bsize);
  const std::uint64_t usual =
      std::min<std::uint64_t>(found.value().f_blocks / kUsualPart, kUsualBytes / blockBytes);
  return keepBack(mount, type, device, usual);
}

Result<std::uint64_t> keptBack(int mount) {
  Result<UniqueFd> root = openRoot(mount);
  if (!root) return root.status();
  XfsReserved reserved{};
  const Status asked = control(root.value().get(), kXfsGetReserved, &reserved, "measure a volume");
  if (!asked) return asked;
  return std::uint64_t{reserved.available};
}

}  // namespace teu::dm
