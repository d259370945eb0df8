#include "tree/file_digest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "layer/sha256.h"
#include "sys/unique_fd.h"

namespace teu::tree {
namespace {

constexpr std::size_t kBuffer = 1024 * 1024;
constexpr const char* kStep = "read the file";

}  // namespace

Outcome digestFile(const char* path, std::string& digest, std::uint64_t& size) {
  const UniqueFd fd(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return failureAt("open", kStep, path, errno);
  struct stat facts {};
  if (fstat(fd.get(), &facts) != 0) return failureAt("fstat", kStep, path, errno);
  if (!S_ISREG(facts.st_mode)) return failureAt("fstat", kStep, path, EINVAL);
  // Pages that are clean are dropped, so that what is hashed is what the disk has
  // (posix_fadvise(2)).
  posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  std::vector<std::uint8_t> buffer(kBuffer);
  layer::Sha256 hash;
  size = 0;
  for (;;) {
    const ssize_t count = read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failureAt("read", kStep, path, errno);
    if (count == 0) break;
    hash.update(buffer.data(), static_cast<std::size_t>(count));
    size += static_cast<std::uint64_t>(count);
  }
  posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  digest = hash.finish();
  return {};
}

}  // namespace teu::tree
