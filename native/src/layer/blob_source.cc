#include "layer/blob_source.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace teu::layer {

BlobSource::BlobSource(int fd, std::uint64_t offset, std::uint64_t length, Growth& growth,
                       int copyFd, bool hash)
    : fd_(fd), growth_(growth), copyFd_(copyFd), hash_(hash), offset_(offset), left_(length) {}

Outcome BlobSource::read(std::span<std::uint8_t> into, std::size_t& got) {
  got = 0;
  while (got < into.size() && left_ > 0) {
    const std::uint64_t done = bytesRead_ + got;
    if (Outcome grown = growth_.waitFor(done + 1); !grown) return grown;
    const std::size_t wanted =
        std::min({std::uint64_t{into.size() - got}, left_, growth_.available() - done});
    const ssize_t count = pread(fd_, into.data() + got, wanted, static_cast<off_t>(offset_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return sysFailure("pread", "read blob", errno);
    if (count == 0) {
      if (Outcome honest = growth_.checkEnd(done); !honest) return honest;
      left_ = 0;
      break;
    }
    got += static_cast<std::size_t>(count);
    offset_ += static_cast<std::uint64_t>(count);
    left_ -= static_cast<std::uint64_t>(count);
  }
  bytesRead_ += got;
  if (hash_) sha_.update(into.data(), got);
  return copy(into.first(got));
}

Outcome BlobSource::peek(std::span<std::uint8_t> into, std::size_t& got) {
  const std::size_t wanted = std::min<std::uint64_t>(into.size(), left_);
  if (Outcome grown = growth_.waitFor(wanted); !grown) return grown;
  const ssize_t count = pread(fd_, into.data(), wanted, static_cast<off_t>(offset_));
  if (count < 0) return sysFailure("pread", "read blob", errno);
  got = static_cast<std::size_t>(count);
  return {};
}

Outcome BlobSource::drain() {
  std::vector<std::uint8_t> buffer(65536);
  for (std::size_t got = 1; got > 0;) {
    if (Outcome read_ = read(buffer, got); !read_) return read_;
  }
  return {};
}

Outcome BlobSource::copy(std::span<const std::uint8_t> data) {
  std::uint64_t at = bytesRead_ - data.size();
  while (copyFd_ >= 0 && !data.empty()) {
    const ssize_t count = pwrite(copyFd_, data.data(), data.size(), static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return sysFailure("pwrite", "store blob", errno);
    at += static_cast<std::uint64_t>(count);
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace teu::layer
