#include "dm/thin_metadata.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include <algorithm>
#include <array>

namespace teu::dm {
namespace {

constexpr std::uint64_t kSuperblockMagic = 27022010;
// Offsets in struct thin_disk_superblock.
constexpr std::size_t kMagicAt = 32;
constexpr std::size_t kMappingRootAt = 320;
constexpr std::size_t kDetailsRootAt = 328;

// struct node_header: csum, flags, blocknr, nr_entries, max_entries, value_size, padding.
constexpr std::size_t kFlagsAt = 4;
constexpr std::size_t kBlockAt = 8;
constexpr std::size_t kEntriesAt = 16;
constexpr std::size_t kCapacityAt = 20;
constexpr std::size_t kValueSizeAt = 24;
constexpr std::size_t kKeysAt = 32;
constexpr std::uint32_t kInternal = 1;
constexpr std::uint32_t kLeaf = 2;

/// struct disk_device_details: mapped_blocks, transaction_id, creation_time, snapshotted_time.
constexpr std::size_t kDetailsBytes = 24;
constexpr std::size_t kPointerBytes = 8;
/// A mapping is the block, and below it the time when it was made.
constexpr std::uint64_t kTimeMask = (1U << 24) - 1;
/// 2^64 entries need less, so what is deeper goes in a circle.
constexpr int kDeepest = 16;

using Block = std::array<std::byte, kMetadataBlockBytes>;
using Visit = std::function<Status(std::uint64_t key, std::span<const std::byte> value)>;

std::uint32_t number32(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t raw = 0;
  memcpy(&raw, bytes.data() + at, sizeof raw);
  return le32toh(raw);
}

std::uint64_t number64(std::span<const std::byte> bytes, std::size_t at) {
  std::uint64_t raw = 0;
  memcpy(&raw, bytes.data() + at, sizeof raw);
  return le64toh(raw);
}

Status damaged() {
  return brokenRule(EBADMSG, "metadata of the pool");
}

/// A node that was checked.
struct Node {
  Block block{};
  bool isLeaf = false;
  std::size_t entries = 0;
  std::size_t capacity = 0;
  std::size_t valueSize = 0;

  std::uint64_t key(std::size_t index) const { return number64(block, kKeysAt + index * 8); }
  std::span<const std::byte> value(std::size_t index) const {
    const std::size_t at = kKeysAt + capacity * 8 + index * valueSize;
    return std::span(block).subspan(at, valueSize);
  }
};

Status readNode(const ReadBlock& read, std::uint64_t number, std::size_t leafValueSize,
                Node& node) {
  if (const Status done = read(number, node.block); !done) return done;
  const std::uint32_t flags = number32(node.block, kFlagsAt);
  node.isLeaf = (flags & kLeaf) != 0;
  node.entries = number32(node.block, kEntriesAt);
  node.capacity = number32(node.block, kCapacityAt);
  node.valueSize = number32(node.block, kValueSizeAt);
  const std::size_t wanted = node.isLeaf ? leafValueSize : kPointerBytes;
  const bool isNode = (flags & (kLeaf | kInternal)) != 0 &&
                      number64(node.block, kBlockAt) == number && node.valueSize == wanted &&
                      node.entries <= node.capacity &&
                      node.capacity <= (kMetadataBlockBytes - kKeysAt) / (8 + node.valueSize);
  return isNode ? Status{} : damaged();
}

/// Shows all entries of a tree in order.
Status walk(const ReadBlock& read, std::uint64_t root, std::size_t valueSize, const Visit& visit,
            int depth = 0) {
  if (depth > kDeepest) return damaged();
  Node node;
  if (const Status done = readNode(read, root, valueSize, node); !done) return done;
  for (std::size_t index = 0; index < node.entries; ++index) {
    const Status done =
        node.isLeaf ? visit(node.key(index), node.value(index))
                    : walk(read, number64(node.value(index), 0), valueSize, visit, depth + 1);
    if (!done) return done;
  }
  return {};
}

/// Finds the value of a key. ENOENT if there is none.
Result<std::vector<std::byte>> find(const ReadBlock& read, std::uint64_t root,
                                    std::size_t valueSize, std::uint64_t key) {
  for (int depth = 0; depth <= kDeepest; ++depth) {
    Node node;
    if (const Status done = readNode(read, root, valueSize, node); !done) return done;
    std::size_t after = 0;
    while (after < node.entries && node.key(after) <= key) ++after;
    if (after == 0) return brokenRule(ENOENT, "volume");
    const std::span<const std::byte> value = node.value(after - 1);
    if (node.isLeaf) {
      if (node.key(after - 1) != key) return brokenRule(ENOENT, "volume");
      return std::vector<std::byte>(value.begin(), value.end());
    }
    root = number64(value, 0);
  }
  return damaged();
}

VolumeDetails detailsOf(std::uint64_t id, std::span<const std::byte> value) {
  return {.id = id,
          .mappedBlocks = number64(value, 0),
          .transaction = number64(value, 8),
          .creationTime = number32(value, 16)};
}

Status readSuperblock(const ReadBlock& read, std::uint64_t root, Block& block) {
  if (const Status done = read(root, block); !done) return done;
  return number64(block, kMagicAt) == kSuperblockMagic ? Status{} : damaged();
}

}  // namespace

Result<std::vector<VolumeDetails>> readVolumes(const ReadBlock& read, std::uint64_t root) {
  Block superblock{};
  if (const Status done = readSuperblock(read, root, superblock); !done) return done;
  std::vector<VolumeDetails> volumes;
  const Status walked = walk(read, number64(superblock, kDetailsRootAt), kDetailsBytes,
                             [&](std::uint64_t id, std::span<const std::byte> value) {
                               volumes.push_back(detailsOf(id, value));
                               return Status{};
                             });
  if (!walked) return walked;
  return volumes;
}

Result<std::uint64_t> countOwnBlocks(const ReadBlock& read, std::uint64_t root, std::uint64_t id) {
  Block superblock{};
  if (const Status done = readSuperblock(read, root, superblock); !done) return done;
  Result<std::vector<std::byte>> found =
      find(read, number64(superblock, kDetailsRootAt), kDetailsBytes, id);
  if (!found) return found.status();
  const std::uint32_t created = detailsOf(id, found.value()).creationTime;
  Result<std::vector<std::byte>> mappings =
      find(read, number64(superblock, kMappingRootAt), kPointerBytes, id);
  if (!mappings) return mappings.status();
  std::uint64_t count = 0;
  const Status walked = walk(read, number64(mappings.value(), 0), kPointerBytes,
                             [&](std::uint64_t, std::span<const std::byte> value) {
                               if ((number64(value, 0) & kTimeMask) >= created) ++count;
                               return Status{};
                             });
  if (!walked) return walked;
  return std::uint64_t{count};
}

}  // namespace teu::dm
