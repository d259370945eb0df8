#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "../asan/expect.h"
#include "dm/filesystem.h"

using teu::dm::countExt4Blocks;
using teu::dm::FilesystemType;
using teu::dm::readFigures;

namespace {

/// A device with some bytes, in a file that has no name any more.
class Device {
 public:
  Device() {
    char path[] = "/tmp/teu-superblock-XXXXXX";
    fd_ = mkstemp(path);
    expectThat(fd_ >= 0 && unlink(path) == 0 && ftruncate(fd_, 8192) == 0, "a file");
  }
  ~Device() { close(fd_); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  int fd() const { return fd_; }
  void little(long at, std::uint64_t value, std::size_t bytes) const {
    write(at, value, bytes, false);
  }
  void big(long at, std::uint64_t value, std::size_t bytes) const { write(at, value, bytes, true); }

 private:
  void write(long at, std::uint64_t value, std::size_t bytes, bool isBig) const {
    std::array<unsigned char, 8> raw{};
    for (std::size_t index = 0; index < bytes; ++index) {
      const std::size_t place = isBig ? bytes - 1 - index : index;
      raw[place] = static_cast<unsigned char>(value >> (index * 8));
    }
    expectThat(pwrite(fd_, raw.data(), bytes, at) == static_cast<long>(bytes), "bytes");
  }

  int fd_ = -1;
};

void testExt4() {
  const Device device;
  expectThat(!readFigures(device.fd(), FilesystemType::ext4).value(), "zeros are no ext4");
  device.little(1024 + 0, 1000, 4);
  device.little(1024 + 4, 70000, 4);
  device.little(1024 + 12, 40000, 4);
  device.little(1024 + 16, 990, 4);
  device.little(1024 + 24, 2, 4);
  device.little(1024 + 56, 0xef53, 2);
  device.little(1024 + 0x248, 20000, 4);
  const auto figures = readFigures(device.fd(), FilesystemType::ext4).value();
  expectThat(figures && figures->totalBytes == 50000ULL * 4096 &&
                 figures->usedBytes == 10000ULL * 4096 && figures->inodes == 10,
             "what an ext4 holds");
  device.little(1024 + 0x150, 1, 4);
  expectThat(countExt4Blocks(device.fd()).value() == (1ULL << 32) + 70000,
             "blocks of a large ext4");
  device.little(1024 + 0x150, 0, 4);
  device.little(1024 + 96, 4, 4);
  expectThat(!readFigures(device.fd(), FilesystemType::ext4).value(), "not unmounted");
  device.little(1024 + 96, 0, 4);
  device.little(1024 + 12, 60000, 4);
  expectThat(!readFigures(device.fd(), FilesystemType::ext4).value(), "more free than there is");
  device.little(1024 + 24, 63, 4);
  expectThat(!readFigures(device.fd(), FilesystemType::ext4).value(), "blocks of no size");
}

void testXfs() {
  const Device device;
  expectThat(!readFigures(device.fd(), FilesystemType::xfs).value(), "zeros are no xfs");
  device.big(0, 0x58465342, 4);
  device.big(4, 4096, 4);
  device.big(8, 131072, 8);
  device.big(48, 5, 8);
  device.big(96, 1072, 4);
  device.big(128, 64, 8);
  device.big(136, 61, 8);
  device.big(144, 120000, 8);
  const auto figures = readFigures(device.fd(), FilesystemType::xfs).value();
  expectThat(figures && figures->totalBytes == 130000ULL * 4096 &&
                 figures->usedBytes == 10000ULL * 4096 && figures->inodes == 3,
             "what an xfs holds");
  device.big(4, 0, 4);
  expectThat(!readFigures(device.fd(), FilesystemType::xfs).value(), "blocks of no size");
}

}  // namespace

void testSuperblocks() {
  testExt4();
  testXfs();
}
