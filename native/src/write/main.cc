// teu-cgroup-write FILE TEXT: one write to a file of a cgroup that may take long. See README.md.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "write/write_file.h"

namespace {

constexpr int kRefused = 1;
constexpr int kMisused = 2;
constexpr int kArguments = 3;

}  // namespace

int main(int count, char** arguments) {
  // The service that asked is gone: what this would write is undone by its next start.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (count != kArguments) {
    dprintf(STDERR_FILENO, "usage: teu-cgroup-write FILE TEXT\n");
    return kMisused;
  }
  const teu::Status written = teu::write::writeFile(arguments[1], arguments[2]);
  if (written) return 0;
  const teu::SysError& error = written.error();
  dprintf(STDERR_FILENO, "%s %s\n", error.step, strerrorname_np(error.number));
  return kRefused;
}
