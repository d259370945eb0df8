#include "union/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace teu::unionfs {
namespace {

/// Containers hang on this process.
constexpr const char* kOomScore = "-900";

void ignoreSignals() {
  for (const int number : {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGQUIT}) signal(number, SIG_IGN);
}

void preferOthersForKilling() {
  const UniqueFd score(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  // Not allowed in some containers; then it stays as it is.
  if (score) (void)!write(score.get(), kOomScore, 4);
}

}  // namespace

void raiseLimits() {
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  const rlimit endless{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &endless);
}

void Daemon::waitForReport(int reports) {
  std::string line;
  char buffer[512];
  for (;;) {
    const ssize_t got = read(reports, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    line.append(buffer, static_cast<std::size_t>(got));
  }
  const bool ready = line == "ready\n";
  if (line.empty()) line = "{\"code\":\"SYSCALL\",\"message\":\"ended early\"}\n";
  (void)!write(ready ? STDOUT_FILENO : STDERR_FILENO, line.data(), line.size());
  _exit(ready ? 0 : 1);
}

Status Daemon::begin() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return lastFailure("pipe2", "detach");
  UniqueFd reading(ends[0]);
  reports_.reset(ends[1]);
  const pid_t child = fork();
  if (child < 0) return lastFailure("fork", "detach");
  if (child > 0) {
    reports_.reset();
    waitForReport(reading.get());
  }
  reading.reset();
  if (setsid() < 0) return lastFailure("setsid", "detach");
  if (chdir("/") < 0) return lastFailure("chdir", "detach");
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return lastFailure("open", "detach");
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null.get(), fd);
  for (const int fd : {null.get(), reports_.get()}) {
    if (fd <= STDERR_FILENO) return refusal(EBADF, "descriptors 0 to 2 are needed");
  }
  // Everything else the caller may have left open.
  constexpr unsigned kFirst = STDERR_FILENO + 1;
  const auto kept = static_cast<unsigned>(reports_.get());
  if (kept > kFirst) close_range(kFirst, kept - 1, 0);
  close_range(kept + 1, ~0U, 0);
  umask(0);
  ignoreSignals();
  preferOthersForKilling();
  raiseLimits();
  (void)prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
  return {};
}

void Daemon::report(const std::string& line) {
  (void)!write(reports_.get(), line.data(), line.size());
  reports_.reset();
}

}  // namespace teu::unionfs
