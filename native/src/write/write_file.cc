#include "write/write_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sys/unique_fd.h"

namespace teu::write {

Status writeFile(const char* path, std::string_view text) {
  const UniqueFd file{open(path, O_WRONLY | O_CLOEXEC)};
  if (!file) return SysError{.number = errno, .syscall = "open", .step = "open"};
  const ssize_t written = ::write(file.get(), text.data(), text.size());
  if (written < 0) return SysError{.number = errno, .syscall = "write", .step = "write"};
  if (static_cast<size_t>(written) != text.size()) return brokenRule(EIO, "write").during("write");
  return {};
}

}  // namespace teu::write
