// How much of a file system may be used. Both kinds keep blocks back that nobody gets, root
// neither: ext4 by /sys/fs/ext4/<device>/reserved_clusters (Documentation/admin-guide/ext4.rst),
// XFS by an ioctl. That works up and down, at once, while it is mounted, and is forgotten when it
// is not mounted any more.
#pragma once

#include <cstdint>

#include "dm/device_mapper.h"
#include "dm/filesystem.h"
#include "sys/result.h"

namespace teu::dm {

/// The device of a mounted file system.
struct OpenDevice {
  int fd = -1;
  DeviceNumber number;
};

/// Lets a mounted file system hold so many bytes and no more, and grows it if it is smaller. A
/// device that is larger than the file system is what makes that possible.
Status limitSpace(int mount, FilesystemType type, const OpenDevice& device,
                  std::uint64_t maximumBytes);

/// Lets it hold what it can.
Status unlimitSpace(int mount, FilesystemType type, const DeviceNumber& device);

/// Blocks that an XFS keeps back.
Result<std::uint64_t> keptBack(int mount);

}  // namespace teu::dm
