// teu-cgroup-watch NAME=VALUE...: tells what the kernel notifies of cgroups (requests.h), until
// standard input ends. It is kept running by the cgroup service, whose own process cannot wait for
// eventfds and inotify of cgroup files.
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <cstring>

#include "watch/options.h"
#include "watch/watcher.h"

int main(int count, char** arguments) {
  const auto options = teu::watch::parseOptions(count, arguments);
  if (!options) {
    dprintf(STDERR_FILENO,
            "usage: teu-cgroup-watch [memory=DIRECTORY] [pids=DIRECTORY] [unified=DIRECTORY] "
            "[kmsg=SEQUENCE|off] [pressure=MEMORY,IO,CPU] [level=low|medium|critical]\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  auto watcher = teu::watch::Watcher::open(*options);
  if (!watcher) {
    const teu::SysError& error = watcher.error();
    dprintf(STDERR_FILENO, "teu-cgroup-watch: %s: %s to %s\n", strerrorname_np(error.number),
            error.syscall, error.step);
    return 1;
  }
  return watcher.value().run();
}
