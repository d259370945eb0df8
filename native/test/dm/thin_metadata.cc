#include "dm/thin_metadata.h"

#include <errno.h>
#include <string.h>

#include <map>
#include <memory>
#include <vector>

#include "../asan/expect.h"

using teu::brokenRule;
using teu::Status;
using teu::dm::countOwnBlocks;
using teu::dm::kMetadataBlockBytes;
using teu::dm::ReadBlock;
using teu::dm::readVolumes;

namespace {

using Block = std::vector<std::byte>;

/// Blocks of a device, made by hand.
class Disk {
 public:
  void put(std::uint64_t block, std::size_t at, std::uint64_t value, std::size_t bytes = 8) {
    Block& there = blocks_.try_emplace(block, kMetadataBlockBytes).first->second;
    memcpy(there.data() + at, &value, bytes);
  }

  void superblock(std::uint64_t block, std::uint64_t mappings, std::uint64_t details) {
    put(block, 32, 27022010);
    put(block, 320, mappings);
    put(block, 328, details);
  }

  void node(std::uint64_t block, bool isLeaf, std::size_t valueBytes, std::size_t capacity) {
    put(block, 4, isLeaf ? 2 : 1, 4);
    put(block, 8, block);
    put(block, 16, 0, 4);
    put(block, 20, capacity, 4);
    put(block, 24, valueBytes, 4);
    capacity_[block] = capacity;
    valueBytes_[block] = valueBytes;
  }

  void entry(std::uint64_t block, std::uint64_t key, const std::vector<std::uint64_t>& value) {
    const std::size_t index = entries_[block]++;
    put(block, 16, entries_[block], 4);
    put(block, 32 + index * 8, key);
    for (std::size_t part = 0; part < value.size(); ++part) {
      const std::size_t at = 32 + capacity_[block] * 8 + index * valueBytes_[block] + part * 8;
      put(block, at, value[part]);
    }
  }

  ReadBlock reader() const {
    return [this](std::uint64_t block, std::span<std::byte> into) -> Status {
      const auto found = blocks_.find(block);
      if (found == blocks_.end()) return brokenRule(EIO, "no such block");
      memcpy(into.data(), found->second.data(), into.size());
      return {};
    };
  }

  std::map<std::uint64_t, Block>& blocks() { return blocks_; }

 private:
  std::map<std::uint64_t, Block> blocks_{};
  std::map<std::uint64_t, std::size_t> entries_{};
  std::map<std::uint64_t, std::size_t> capacity_{};
  std::map<std::uint64_t, std::size_t> valueBytes_{};
};

constexpr std::uint64_t mapping(std::uint64_t block, std::uint64_t time) {
  return block << 24 | time;
}

/// Two volumes: 5 of time 0 with three blocks, and 9, a copy of it of time 1, with a new one.
Disk example() {
  Disk disk;
  disk.superblock(1, 10, 20);
  disk.node(20, false, 8, 100);
  disk.entry(20, 5, {21});
  disk.entry(20, 9, {22});
  disk.node(21, true, 24, 80);
  disk.entry(21, 5, {3, 77, 0});
  disk.node(22, true, 24, 80);
  disk.entry(22, 9, {4, 78, 1});
  disk.node(10, true, 8, 100);
  disk.entry(10, 5, {11});
  disk.entry(10, 9, {12});
  for (const std::uint64_t tree : {11, 12}) {
    disk.node(tree, true, 8, 100);
    for (std::uint64_t block = 0; block < 3; ++block) {
      const bool isCopied = tree == 12 && block == 1;
      disk.entry(tree, block, {mapping(block + 100, isCopied ? 1 : 0)});
    }
  }
  disk.entry(12, 50, {mapping(200, 2)});
  return disk;
}

void testWhole() {
  const Disk disk = example();
  auto volumes = readVolumes(disk.reader(), 1);
  expectThat(static_cast<bool>(volumes) && volumes.value().size() == 2, "volumes are found");
  expectThat(volumes.value()[0].id == 5 && volumes.value()[0].mappedBlocks == 3 &&
                 volumes.value()[0].transaction == 77,
             "the first volume");
  expectThat(volumes.value()[1].id == 9 && volumes.value()[1].creationTime == 1, "the second");
  expectThat(countOwnBlocks(disk.reader(), 1, 5).value() == 3,
             "all blocks of the first are its own");
  expectThat(countOwnBlocks(disk.reader(), 1, 9).value() == 2, "what the copy has written");
  for (const std::uint64_t none : {0, 4, 6, 10}) {
    expectThat(countOwnBlocks(disk.reader(), 1, none).error().number == ENOENT, "no such volume");
  }
}

void expectRefused(const Disk& disk, const char* what) {
  expectThat(!readVolumes(disk.reader(), 1) || !countOwnBlocks(disk.reader(), 1, 9), what);
}

void testDamaged() {
  Disk disk = example();
  disk.put(1, 32, 1);
  expectRefused(disk, "another superblock");
  disk = example();
  disk.put(22, 8, 23);
  expectRefused(disk, "a node of another place");
  disk = example();
  disk.put(22, 16, 5000, 4);
  expectRefused(disk, "more entries than there is room for");
  disk = example();
  disk.put(22, 20, 0xffffffff, 4);
  expectRefused(disk, "more room than there is");
  disk = example();
  disk.put(22, 24, 0, 4);
  expectRefused(disk, "values of no size");
  disk = example();
  disk.put(20, 32 + 100 * 8, 20);
  disk.put(20, 32 + 101 * 8, 20);
  expectRefused(disk, "a tree in a circle");
  disk = example();
  disk.blocks().erase(12);
  expectRefused(disk, "a block that cannot be read");
}

/// Every byte of every block, turned over: an answer or an error, and nothing else.
void testEveryByte() {
  Disk disk = example();
  for (auto& [number, block] : disk.blocks()) {
    for (std::size_t at = 0; at < block.size(); at += at < 64 ? 1 : 61) {
      block[at] ^= std::byte{0xff};
      (void)!readVolumes(disk.reader(), 1);
      (void)!countOwnBlocks(disk.reader(), 1, 9);
      block[at] ^= std::byte{0xff};
    }
  }
}

}  // namespace

void testThinMetadata() {
  testWhole();
  testDamaged();
  testEveryByte();
}
