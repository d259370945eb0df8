// teu-btrfs DIRECTORY: does to subvolumes below the driver's directory what lines on standard input
// ask for (requests.h), until that ends. It is kept running by the driver, because a process for
// each call would cost more than most calls do.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mutex>
#include <string>
#include <utility>

#include "btrfs/quota.h"
#include "btrfs/requests.h"
#include "btrfs/subvolumes.h"
#include "btrfs/worker_pool.h"
#include "sys/files.h"

namespace teu::btrfs {
namespace {

/// Enough that a few long ones (a large deletion, a sync) leave room for the short ones.
constexpr std::size_t kThreads = 8;
/// Longer than any request but a very long `settle`, which the driver splits.
constexpr std::size_t kMaxLine = 4096;
constexpr std::size_t kReadBytes = 4096;

/// The root of a new subvolume is 0755, whatever the driver's own mask is.
constexpr mode_t kMask = 022;

/// Reads lines until the input ends; false if one is too long, or reading fails.
bool readLines(WorkerPool& pool) {
  std::string pending;
  char buffer[kReadBytes];
  for (;;) {
    Result<std::size_t> got = sys::readSome(STDIN_FILENO, buffer, sizeof buffer);
    if (!got) return false;
    if (got.value() == 0) return true;
    pending.append(buffer, got.value());
    std::size_t end = 0;
    while ((end = pending.find('\n')) != std::string::npos) {
      pool.add(pending.substr(0, end));
      pending.erase(0, end + 1);
    }
    if (pending.size() > kMaxLine) return false;
  }
}

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
  std::mutex output;
  const auto work = [&](const std::string& line) {
    const std::string answer = requests.handle(line);
    const std::lock_guard lock(output);
    // Who asked may be gone, and then the input ends too.
    (void)!sys::writeAll(STDOUT_FILENO, answer.data(), answer.size());
  };
  WorkerPool pool(kThreads, work);
  const bool ended = readLines(pool);
  // Nobody waits for what is still being worked on, and it may take long.
  _exit(ended ? 0 : 1);
}

}  // namespace
}  // namespace teu::btrfs

int main(int count, char** arguments) {
  if (count != 2) {
    dprintf(STDERR_FILENO, "usage: teu-btrfs DIRECTORY\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  umask(teu::btrfs::kMask);
  return teu::btrfs::serve(arguments[1]);
}
