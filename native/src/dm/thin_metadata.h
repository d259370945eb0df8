// The metadata of a thin pool on the disk, as the kernel writes it (drivers/md/dm-thin-metadata.c
// and persistent-data/dm-btree-internal.h): what volumes there are, without activating any. It is
// read from a snapshot of the metadata, which the kernel does not change. Blocks that are not what
// they are said to be end the reading with EBADMSG; checksums are left to the kernel, which wrote
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "sys/result.h"

namespace teu::dm {

inline constexpr std::size_t kMetadataBlockBytes = 4096;

/// Reads a block of the metadata device into the span of `kMetadataBlockBytes`.
using ReadBlock = std::function<Status(std::uint64_t block, std::span<std::byte> into)>;

/// What a pool knows of a volume.
struct VolumeDetails {
  std::uint64_t id = 0;
  std::uint64_t mappedBlocks = 0;
  /// Transaction of the pool when it was made.
  std::uint64_t transaction = 0;
  /// Time of the pool when it was made: blocks of that time or later are its own.
  std::uint32_t creationTime = 0;
};

/// All volumes, by id. @param root block of the snapshot of the metadata.
Result<std::vector<VolumeDetails>> readVolumes(const ReadBlock& read, std::uint64_t root);

/// Number of blocks of a volume that were mapped or copied since it was made. ENOENT without it.
Result<std::uint64_t> countOwnBlocks(const ReadBlock& read, std::uint64_t root, std::uint64_t id);

}  // namespace teu::dm
