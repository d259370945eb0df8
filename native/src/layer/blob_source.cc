#include "layer/blob_source.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

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
  return {};
}

Outcome BlobSource::peek(std::span<std::uint8_t> into, std::size_t& got) const {
  const std::size_t wanted = std::min<std::uint64_t>(into.size(), left_);
  if (Outcome grown = growth_.waitFor(wanted); !grown) return grown;
  const ssize_t count = pread(fd_, into.data(), wanted, static_cast<off_t>(offset_));
  if (count < 0) return sysFailure("pread", "read blob", errno);
  got = static_cast<std::size_t>(count);
  return {};
}

Outcome BlobSource::keep(std::span<const std::uint8_t> data) {
  if (hash_) sha_.update(data.data(), data.size());
  return copyFd_ < 0 ? Outcome{} : copy(data);
}

Outcome BlobSource::copy(std::span<const std::uint8_t> data) {
  const std::uint64_t before = bytesKept_;
  while (!data.empty()) {
    const ssize_t count = pwrite(copyFd_, data.data(), data.size(), static_cast<off_t>(bytesKept_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return sysFailure("pwrite", "store blob", errno);
    bytesKept_ += static_cast<std::uint64_t>(count);
    data = data.subspan(static_cast<std::size_t>(count));
  }
  startWriting(before);
  return {};
}

/// The disk has nothing else to do yet, and what it takes now need not be waited for at the end.
/// That it is told so is all this is for: errors come to light at fdatasync.
void BlobSource::startWriting(std::uint64_t before) const {
  constexpr std::uint64_t kStride = 8 << 20;
  const std::uint64_t from = before / kStride * kStride;
  const std::uint64_t to = bytesKept_ / kStride * kStride;
  if (to > from) {
    sync_file_range(copyFd_, static_cast<off_t>(from), static_cast<off_t>(to - from),
                    SYNC_FILE_RANGE_WRITE);
  }
}

}  // namespace teu::layer
