// The file systems on volumes: what they hold, and mounts of them that nobody sees.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu::dm {

enum class FilesystemType { ext4, xfs };

std::optional<FilesystemType> parseFilesystemType(std::string_view word);

/// How full a file system is.
struct Figures {
  /// Bytes for files, used or not.
  std::uint64_t totalBytes = 0;
  std::uint64_t usedBytes = 0;
  std::uint64_t inodes = 0;
};

/// Reads them from the device of an ext4 that is mounted nowhere. Nothing if that is not enough: it
/// was not unmounted, or does not say how much of it is its own. An XFS has to be mounted for it:
/// what it keeps for its tables it takes from the free blocks only then.
Result<std::optional<Figures>> readExt4Figures(int device);

/// Blocks of an ext4, its tables with them, mounted or not.
Result<std::uint64_t> countExt4Blocks(int device);

/// Mounts a device where nobody sees it, for as long as the descriptor is open. A mount that others
/// have of it is the same file system. Options are those that the driver has containers mounted
/// with.
Result<UniqueFd> mountPrivately(const std::string& device, FilesystemType type, bool readOnly);

/// Asks a mounted file system.
Result<Figures> measureMounted(int mount, FilesystemType type);

/// Has nothing in its root but what belongs into an empty tree.
Status emptyRoot(int mount);

}  // namespace teu::dm
