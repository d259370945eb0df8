#include "graft/copy_data.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace teu::graft {
namespace {

using tree::failureAt;
using tree::Outcome;

constexpr const char* kStep = "copy content";
constexpr std::size_t kBuffer = 256 * 1024;

/// The kernel does not copy between these two files by itself.
bool isForUs(int number) {
  return number == EXDEV || number == EINVAL || number == EOPNOTSUPP || number == ENOSYS;
}

Outcome writeAt(int to, const char* data, std::size_t size, off_t offset, const std::string& path) {
  while (size > 0) {
    const ssize_t count = pwrite(to, data, size, offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failureAt("pwrite", kStep, path, errno);
    data += count;
    size -= static_cast<std::size_t>(count);
    offset += count;
  }
  return {};
}

Outcome copyByHand(int from, int to, off_t at, off_t end, const std::string& path) {
  static std::vector<char> buffer(kBuffer);
  while (at < end) {
    const auto wanted = std::min<std::size_t>(kBuffer, static_cast<std::size_t>(end - at));
    const ssize_t count = pread(from, buffer.data(), wanted, at);
    if (count < 0 && errno == EINTR) continue;
    // It became shorter meanwhile, which was not to happen.
    if (count <= 0) return failureAt("pread", kStep, path, count < 0 ? errno : ESTALE);
    const auto size = static_cast<std::size_t>(count);
    if (Outcome written = writeAt(to, buffer.data(), size, at, path); !written) return written;
    at += count;
  }
  return {};
}

Outcome copyRange(int from, int to, off_t at, off_t end, const std::string& path) {
  off_t written = at;
  while (at < end) {
    const ssize_t count =
        copy_file_range(from, &at, to, &written, static_cast<std::size_t>(end - at), 0);
    if (count > 0 || (count < 0 && errno == EINTR)) continue;
    if (count == 0 || isForUs(errno)) return copyByHand(from, to, at, end, path);
    return failureAt("copy_file_range", kStep, path, errno);
  }
  return {};
}

}  // namespace

Outcome copyData(int from, int to, std::uint64_t bytes, const std::string& path) {
  const auto size = static_cast<off_t>(bytes);
  for (off_t at = 0; at < size;) {
    const off_t data = lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;
    const off_t begin = data < 0 ? at : data;
    const off_t hole = lseek(from, begin, SEEK_HOLE);
    const off_t end = hole < 0 ? size : std::min(hole, size);
    if (Outcome copied = copyRange(from, to, begin, end, path); !copied) return copied;
    at = std::max(end, at + 1);
  }
  if (ftruncate(to, size) != 0) return failureAt("ftruncate", kStep, path, errno);
  return {};
}

}  // namespace teu::graft
