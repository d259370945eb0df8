// teu-btrfs DIRECTORY: does to subvolumes below the driver's directory what lines on standard input
// ask for (requests.h), until that ends. It is kept running by the driver, because a process for
// each call would cost more than most calls do.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "btrfs/quota.h"
#include "btrfs/requests.h"
#include "btrfs/subvolumes.h"
#include "conversation/serve.h"
#include "sys/files.h"

namespace teu::btrfs {
namespace {

/// The root of a new subvolume is 0755, whatever the driver's own mask is.
constexpr mode_t kMask = 022;

int serve(const char* directory) {
  Result<UniqueFd> opened = sys::openAt(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!opened) {
    dprintf(STDERR_FILENO, "teu-btrfs: cannot open the directory: errno %d\n",
            opened.error().number);
    return 1;
  }
  const SubvolumeDirectory subvolumes(std::move(opened.value()));
  Quota quota(subvolumes.fd());
  const Requests requests(subvolumes, quota);
  conversation::serve([&](const std::string& line) { return requests.handle(line); });
}

}  // namespace
}  // namespace teu::btrfs

int main(int count, char** arguments) {
  if (count != 2) {
    dprintf(STDERR_FILENO, "usage: teu-btrfs DIRECTORY\n");
    return 2;
  }
  umask(teu::btrfs::kMask);
  return teu::btrfs::serve(arguments[1]);
}
