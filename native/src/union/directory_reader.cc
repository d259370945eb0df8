#include "union/directory_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <string_view>

namespace teu::unionfs {
namespace {

constexpr std::size_t kBufferBytes = 32768;

}  // namespace

Status forEachName(int directory, const std::function<Status(const DirectoryEntry&)>& visit) {
  Result<UniqueFd> stream =
      opened(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "openat");
  if (!stream) return stream.status();
  alignas(dirent64) char buffer[kBufferBytes];
  for (;;) {
    const long size = syscall(SYS_getdents64, stream.value().get(), buffer, sizeof buffer);
    if (size < 0) return lastFailure("getdents64");
    if (size == 0) return {};
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer + at);
      at += entry->d_reclen;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      Status visited = visit({.name = entry->d_name, .inode = entry->d_ino, .type = entry->d_type});
      if (!visited) return visited;
    }
  }
}

}  // namespace teu::unionfs
