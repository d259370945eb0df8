// teu-dm POOL FILESYSTEM DIRECTORY: does to a thin pool of device-mapper and its volumes what lines
// on standard input ask for (requests.h), until that ends. FILESYSTEM is what volumes hold,
// DIRECTORY has the files of a pool that is kept in files. It is kept running by the driver,
// because a process for each call would cost more than most calls do.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "conversation/serve.h"
#include "dm/device_mapper.h"
#include "dm/pool.h"
#include "dm/requests.h"
#include "dm/volumes.h"
#include "sys/files.h"

namespace teu::dm {
namespace {

/// Room for a prefix and a number in a name of at most 127.
constexpr std::size_t kLongestName = 100;
constexpr const char* kNameLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-";

bool isPoolName(const char* name) {
  const std::size_t size = strlen(name);
  return size > 0 && size <= kLongestName && strspn(name, kNameLetters) == size && name[0] != '.';
}

int fail(const char* what, int number) {
  dprintf(STDERR_FILENO, "teu-dm: %s: %s\n", what, strerrorname_np(number));
  return 1;
}

int serve(const char* name, FilesystemType type, const char* path) {
  Result<DeviceMapper> mapper = DeviceMapper::open();
  if (!mapper) return fail("cannot open /dev/mapper/control", mapper.error().number);
  Result<UniqueFd> directory = sys::openAt(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!directory) return fail("cannot open the directory", directory.error().number);
  const Pool pool(std::move(mapper.value()), name);
  Volumes volumes(pool, type);
  const Requests requests(pool, volumes, directory.value().get());
  conversation::serve([&](const std::string& line) { return requests.handle(line); });
}

}  // namespace
}  // namespace teu::dm

int main(int count, char** arguments) {
  using namespace teu::dm;
  const auto type = count == 4 ? parseFilesystemType(arguments[2]) : std::nullopt;
  if (!type || !isPoolName(arguments[1])) {
    dprintf(STDERR_FILENO, "usage: teu-dm POOL ext4|xfs DIRECTORY\n");
    return 2;
  }
  return serve(arguments[1], *type, arguments[3]);
}
