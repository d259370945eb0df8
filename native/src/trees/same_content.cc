#include "trees/same_content.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace teu::trees {
namespace {

constexpr const char* kStep = "read content";
constexpr std::size_t kBuffer = 256 * 1024;

/// Where data that may not be zero begins; `size` if there is none.
std::uint64_t nextData(int fd, std::uint64_t offset, std::uint64_t size) {
  const off_t data = lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
  if (data >= 0) return std::max(offset, static_cast<std::uint64_t>(data));
  return errno == ENXIO ? size : offset;
}

Outcome fill(int fd, std::vector<char>& buffer, std::size_t size, std::uint64_t offset,
             const std::string& path) {
  for (std::size_t done = 0; done < size;) {
    const ssize_t count =
        pread(fd, buffer.data() + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    // It became shorter meanwhile, which was not to happen.
    if (count <= 0) return failureAt("pread", kStep, path, count < 0 ? errno : ESTALE);
    done += static_cast<std::size_t>(count);
  }
  return {};
}

UniqueFd openIn(const Position& position, const char* name) {
  return UniqueFd(openat(position.fd(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

}  // namespace

Outcome compareContent(const Position& old, const Position& changed, const Pair& pair, bool& same) {
  static std::vector<char> before(kBuffer);
  static std::vector<char> after(kBuffer);
  const UniqueFd one = openIn(old, pair.name);
  if (!one) return failureAt("openat", kStep, pair.path, errno);
  const UniqueFd other = openIn(changed, pair.name);
  if (!other) return failureAt("openat", kStep, pair.path, errno);
  const std::uint64_t size = pair.changed->stx_size;
  const auto next = [&](std::uint64_t offset) {
    return std::min(nextData(one.get(), offset, size), nextData(other.get(), offset, size));
  };
  same = true;
  for (std::uint64_t at = next(0); same && at < size; at = next(at)) {
    const std::size_t count = std::min<std::uint64_t>(kBuffer, size - at);
    if (Outcome read = fill(one.get(), before, count, at, pair.path); !read) return read;
    if (Outcome read = fill(other.get(), after, count, at, pair.path); !read) return read;
    same = std::memcmp(before.data(), after.data(), count) == 0;
    at += count;
  }
  return {};
}

}  // namespace teu::trees
