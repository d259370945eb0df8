#include "conversation/serve.h"

#include <signal.h>
#include <unistd.h>

#include <mutex>

#include "conversation/worker_pool.h"
#include "sys/files.h"

namespace teu::conversation {
namespace {

/// Enough that a few long ones (a large deletion, a sync) leave room for the short ones.
constexpr std::size_t kThreads = 8;
/// Longer than any request; who has more to ask asks several times.
constexpr std::size_t kMaxLine = 4096;
constexpr std::size_t kReadBytes = 4096;

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

}  // namespace

void serve(const std::function<std::string(const std::string&)>& handle) {
  signal(SIGPIPE, SIG_IGN);
  std::mutex output;
  const auto work = [&](const std::string& line) {
    const std::string answer = handle(line);
    const std::lock_guard lock(output);
    // Who asked may be gone, and then the input ends too.
    (void)!sys::writeAll(STDOUT_FILENO, answer.data(), answer.size());
  };
  WorkerPool pool(kThreads, work);
  const bool ended = readLines(pool);
  // Nobody waits for what is still being worked on, and it may take long.
  _exit(ended ? 0 : 1);
}

}  // namespace teu::conversation
