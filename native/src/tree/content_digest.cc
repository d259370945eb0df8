#include "tree/content_digest.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "layer/sha256.h"
#include "sys/unique_fd.h"

namespace teu::tree {
namespace {

constexpr std::size_t kBlock = 64 * 1024;
constexpr std::size_t kBuffer = 16 * kBlock;
constexpr const char* kStep = "read content";
constexpr int kOpenFile = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

int openFile(const char* name) {
  const int fd = openat(AT_FDCWD, name, kOpenFile | O_NOATIME);
  return fd >= 0 || errno != EPERM ? fd : openat(AT_FDCWD, name, kOpenFile);
}

bool allZero(const std::uint8_t* data, std::size_t size) {
  return size == 0 || (data[0] == 0 && std::memcmp(data, data + 1, size - 1) == 0);
}

class BlockDigest {
 public:
  void addNumber(std::uint64_t number) {
    std::uint8_t bytes[8];
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(number & 0xff);
      number >>= 8;
    }
    hash_.update(bytes, sizeof bytes);
  }

  /// `offset` is a multiple of the block size.
  void addData(std::uint64_t offset, const std::uint8_t* data, std::size_t size) {
    for (std::size_t at = 0; at < size; at += kBlock) {
      const std::size_t length = std::min(kBlock, size - at);
      if (allZero(data + at, length)) continue;
      addNumber((offset + at) / kBlock);
      hash_.update(data + at, length);
    }
  }

  std::string finish(std::uint64_t size) {
    addNumber(UINT64_MAX);
    addNumber(size);
    return hash_.finish();
  }

 private:
  layer::Sha256 hash_;
};

/// Reads until the buffer is full or the file ends.
ssize_t readFully(int fd, std::uint8_t* buffer, std::size_t size, std::uint64_t offset) {
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t count =
        pread(fd, buffer + filled, size - filled, static_cast<off_t>(offset + filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return static_cast<ssize_t>(filled);
}

/// Where data that may not be zero begins, rounded down to a block.
std::uint64_t nextData(int fd, std::uint64_t offset, std::uint64_t size) {
  const off_t data = lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
  if (data >= 0) return std::max(offset, static_cast<std::uint64_t>(data) / kBlock * kBlock);
  return errno == ENXIO ? size : offset;
}

}  // namespace

Outcome digestContent(const char* name, const std::string& path, std::string& digest,
                      std::uint64_t& bytesRead) {
  static std::vector<std::uint8_t> buffer(kBuffer);
  const UniqueFd fd(openFile(name));
  if (!fd) return failureAt("openat", kStep, path, errno);
  const off_t end = lseek(fd.get(), 0, SEEK_END);
  if (end < 0) return failureAt("lseek", kStep, path, errno);
  const auto size = static_cast<std::uint64_t>(end);
  BlockDigest blocks;
  for (std::uint64_t at = nextData(fd.get(), 0, size); at < size;
       at = nextData(fd.get(), at, size)) {
    const std::size_t wanted = std::min<std::uint64_t>(kBuffer, size - at);
    const ssize_t count = readFully(fd.get(), buffer.data(), wanted, at);
    if (count < 0) return failureAt("pread", kStep, path, errno);
    // It became shorter meanwhile: nothing that is committed does.
    if (static_cast<std::size_t>(count) < wanted) return failureAt("pread", kStep, path, ESTALE);
    blocks.addData(at, buffer.data(), wanted);
    bytesRead += wanted;
    at += wanted;
  }
  digest = blocks.finish(size);
  return {};
}

}  // namespace teu::tree
