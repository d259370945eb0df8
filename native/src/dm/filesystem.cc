#include "dm/filesystem.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/statfs.h>

#include <array>

#include "dm/space_limit.h"
#include "sys/files.h"
#include "sys/kernel_abi.h"
#include "sys/mounts.h"

namespace teu::dm {
namespace {

// struct ext4_super_block (Documentation/filesystems/ext4/super.rst), little endian.
constexpr std::uint64_t kExt4At = 1024;
constexpr std::size_t kExt4Bytes = 1024;
constexpr std::uint16_t kExt4Magic = 0xef53;
constexpr std::uint32_t kExt4NeedsRecovery = 0x4;
// struct xfs_dsb (fs/xfs/libxfs/xfs_format.h), big endian.
constexpr std::size_t kXfsBytes = 512;
constexpr std::uint32_t kXfsMagic = 0x58465342;

template <std::size_t Size>
struct Bytes {
  std::array<unsigned char, Size> raw{};

  std::uint64_t little(std::size_t at, std::size_t bytes) const {
    std::uint64_t value = 0;
    for (std::size_t index = bytes; index-- > 0;) value = value << 8 | raw[at + index];
    return value;
  }
  std::uint64_t big(std::size_t at, std::size_t bytes) const {
    std::uint64_t value = 0;
    for (std::size_t index = 0; index < bytes; ++index) value = value << 8 | raw[at + index];
    return value;
  }
  Status read(int device, std::uint64_t at) {
    Result<std::size_t> got = sys::readAt(device, raw.data(), Size, at);
    if (!got) return got.status().during("read the superblock");
    return got.value() == Size ? Status{} : brokenRule(EIO, "short device");
  }
};

Result<std::optional<Figures>> readExt4(int device) {
  Bytes<kExt4Bytes> block;
  if (const Status done = block.read(device, kExt4At); !done) return done;
  const std::uint64_t logBlock = block.little(24, 4);
  if (block.little(56, 2) != kExt4Magic || logBlock > 6) return std::optional<Figures>();
  const bool isClean = (block.little(96, 4) & kExt4NeedsRecovery) == 0;
  const std::uint64_t overhead = block.little(0x248, 4);
  if (!isClean || overhead == 0) return std::optional<Figures>();
  const std::uint64_t total = block.little(4, 4) | block.little(0x150, 4) << 32;
  const std::uint64_t free = block.little(12, 4) | block.little(0x158, 4) << 32;
  const std::uint64_t inodes = block.little(0, 4);
  const std::uint64_t freeInodes = block.little(16, 4);
  if (free + overhead > total || freeInodes > inodes) return std::optional<Figures>();
  const std::uint64_t bytes = std::uint64_t{1024} << logBlock;
  return std::optional(Figures{.totalBytes = (total - overhead) * bytes,
                               .usedBytes = (total - overhead - free) * bytes,
                               .inodes = inodes - freeInodes});
}

Result<std::optional<Figures>> readXfs(int device) {
  Bytes<kXfsBytes> block;
  if (const Status done = block.read(device, 0); !done) return done;
  const std::uint64_t bytes = block.big(4, 4);
  if (block.big(0, 4) != kXfsMagic || bytes < 512 || bytes > 65536) {
    return std::optional<Figures>();
  }
  const std::uint64_t log = block.big(48, 8) == 0 ? 0 : block.big(96, 4);
  const std::uint64_t total = block.big(8, 8) - log;
  const std::uint64_t free = block.big(144, 8);
  const std::uint64_t inodes = block.big(128, 8);
  const std::uint64_t freeInodes = block.big(136, 8);
  if (free > total || freeInodes > inodes) return std::optional<Figures>();
  return std::optional(Figures{.totalBytes = total * bytes,
                               .usedBytes = (total - free) * bytes,
                               .inodes = inodes - freeInodes});
}

/// Options as in filesystem options of the driver (volume-mounts.ts).
Status setOptions(int filesystem, FilesystemType type, bool readOnly) {
  if (type == FilesystemType::xfs) {
    const Status done = sys::setFlagOption(filesystem, "nouuid");
    if (!done) return done;
  } else if (const Status done = sys::setFlagOption(filesystem, "noinit_itable"); !done) {
    return done;
  }
  return sys::setFlagOption(filesystem, readOnly ? "ro" : "discard");
}

}  // namespace

std::optional<FilesystemType> parseFilesystemType(std::string_view word) {
  if (word == "ext4") return FilesystemType::ext4;
  if (word == "xfs") return FilesystemType::xfs;
  return std::nullopt;
}

Result<std::optional<Figures>> readFigures(int device, FilesystemType type) {
  return type == FilesystemType::ext4 ? readExt4(device) : readXfs(device);
}

Result<std::uint64_t> countExt4Blocks(int device) {
  Bytes<kExt4Bytes> block;
  if (const Status done = block.read(device, kExt4At); !done) return done;
  return block.little(4, 4) | block.little(0x150, 4) << 32;
}

Result<UniqueFd> mountPrivately(const std::string& device, FilesystemType type, bool readOnly) {
  Result<UniqueFd> filesystem = sys::openFileSystem(type == FilesystemType::ext4 ? "ext4" : "xfs");
  if (!filesystem) return filesystem;
  const int fd = filesystem.value().get();
  Status done = sys::setOption(fd, "source", device.c_str());
  if (done) done = setOptions(fd, type, readOnly);
  if (done) done = sys::createSuperblock(fd);
  if (!done) return done.during("mount a volume");
  const unsigned attributes =
      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME;
  return sys::mountSuperblock(fd, attributes | (readOnly ? MOUNT_ATTR_RDONLY : 0U));
}

Result<Figures> measureMounted(int mount, FilesystemType type) {
  struct statfs found {};
  const Status asked = statusOf(sys::call(__NR_fstatfs, mount, &found), "fstatfs");
  if (!asked) return asked.during("measure a volume");
  const auto bytes = static_cast<std::uint64_t>(found.f_bsize);
  std::uint64_t free = found.f_bfree;
  if (type == FilesystemType::xfs) {
    // What it keeps back is not used.
    Result<std::uint64_t> kept = keptBack(mount);
    if (!kept) return kept.status();
    free += kept.value();
  }
  free = free > found.f_blocks ? found.f_blocks : free;
  return Figures{.totalBytes = found.f_blocks * bytes,
                 .usedBytes = (found.f_blocks - free) * bytes,
                 .inodes = found.f_files - found.f_ffree};
}

Status emptyRoot(int mount) {
  // mkfs.ext4 makes one, and e2fsck again if it needs one.
  const Status removed =
      statusOf(sys::call(__NR_unlinkat, mount, "lost+found", AT_REMOVEDIR), "unlinkat");
  if (!removed && removed.error().number != ENOENT) return removed;
  const Status opened = statusOf(sys::call(__NR_fchmodat, mount, ".", 0755), "fchmodat");
  return opened.during("make the root of a volume");
}

}  // namespace teu::dm
