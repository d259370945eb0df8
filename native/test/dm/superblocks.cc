#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "../asan/expect.h"
#include "dm/filesystem.h"

using teu::dm::countExt4Blocks;
using teu::dm::readExt4Figures;

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
  /// Little endian.
  void put(long at, std::uint64_t value, std::size_t bytes) const {
    std::array<unsigned char, 8> raw{};
    for (std::size_t index = 0; index < bytes; ++index) {
      raw[index] = static_cast<unsigned char>(value >> (index * 8));
    }
    expectThat(pwrite(fd_, raw.data(), bytes, at) == static_cast<long>(bytes), "bytes");
  }

 private:
  int fd_ = -1;
};

void testExt4() {
  const Device device;
  expectThat(!readExt4Figures(device.fd()).value(), "zeros are no ext4");
  device.put(1024 + 0, 1000, 4);
  device.put(1024 + 4, 70000, 4);
  device.put(1024 + 12, 40000, 4);
  device.put(1024 + 16, 990, 4);
  device.put(1024 + 24, 2, 4);
  device.put(1024 + 56, 0xef53, 2);
  device.put(1024 + 0x248, 20000, 4);
  const auto figures = readExt4Figures(device.fd()).value();
  expectThat(figures && figures->totalBytes == 50000ULL * 4096 &&
                 figures->usedBytes == 10000ULL * 4096 && figures->inodes == 10,
             "what an ext4 holds");
  device.put(1024 + 0x150, 1, 4);
  expectThat(countExt4Blocks(device.fd()).value() == (1ULL << 32) + 70000,
             "blocks of a large ext4");
  device.put(1024 + 0x150, 0, 4);
  device.put(1024 + 96, 4, 4);
  expectThat(!readExt4Figures(device.fd()).value(), "not unmounted");
  device.put(1024 + 96, 0, 4);
  device.put(1024 + 12, 60000, 4);
  expectThat(!readExt4Figures(device.fd()).value(), "more free than there is");
  device.put(1024 + 24, 63, 4);
  expectThat(!readExt4Figures(device.fd()).value(), "blocks of no size");
}

}  // namespace

void testSuperblocks() {
  testExt4();
}
