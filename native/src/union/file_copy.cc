#include "union/file_copy.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace teu::unionfs {
namespace {

constexpr const char* kStep = "copy data";
constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
/// Of one copy_file_range(2), so that a signal need not wait for a huge file.
constexpr std::size_t kRangeBytes = std::size_t{64} << 20;

Status copyByReading(int from, int to, off_t at, off_t end) {
  std::vector<char> buffer(std::min(kPieceBytes, static_cast<std::size_t>(end - at)));
  while (at < end) {
    const std::size_t wanted = std::min(buffer.size(), static_cast<std::size_t>(end - at));
    const ssize_t got = pread(from, buffer.data(), wanted, at);
    if (got < 0) return lastFailure("pread", kStep);
    if (got == 0) return {};
    for (ssize_t done = 0; done < got;) {
      const ssize_t put =
          pwrite(to, buffer.data() + done, static_cast<std::size_t>(got - done), at + done);
      if (put < 0) return lastFailure("pwrite", kStep);
      done += put;
    }
    at += got;
  }
  return {};
}

Status copyRange(int from, int to, off_t at, off_t end) {
  while (at < end) {
    off_t source = at;
    off_t target = at;
    const std::size_t wanted = std::min(kRangeBytes, static_cast<std::size_t>(end - at));
    const ssize_t done = copy_file_range(from, &source, to, &target, wanted, 0);
    if (done < 0) {
      const bool cannot =
          errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS;
      if (!cannot) return lastFailure("copy_file_range", kStep);
      return copyByReading(from, to, at, end);
    }
    if (done == 0) return copyByReading(from, to, at, end);
    at += done;
  }
  return {};
}

}  // namespace

Status copyData(int from, int to, off_t size) {
  if (size == 0 || ioctl(to, FICLONE, from) == 0) return {};
  if (ftruncate(to, size) < 0) return lastFailure("ftruncate", kStep);
  for (off_t at = 0; at < size;) {
    const off_t data = lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) return {};
    if (data < 0) return copyRange(from, to, at, size);
    off_t hole = lseek(from, data, SEEK_HOLE);
    if (hole < 0) hole = size;
    if (Status copied = copyRange(from, to, data, std::min(hole, size)); !copied) return copied;
    at = hole;
  }
  return {};
}

}  // namespace teu::unionfs
