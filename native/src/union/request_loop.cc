#include "union/request_loop.h"

#include <unistd.h>

#include <system_error>
#include <thread>

#include "union/session.h"

namespace teu::unionfs {
namespace {

/// A slow request (a copy-up) takes a thread, so there may be a few.
constexpr unsigned kMaxThreads = 16;
constexpr unsigned kMaxWaiting = 2;
/// What the kernel wants beside the data.
constexpr std::size_t kHeaderBytes = 4096;
constexpr std::size_t kBufferBytes = kMaxWrite + kHeaderBytes;

}  // namespace

Status RequestLoop::run() {
  std::unique_lock lock(mutex_);
  startThread();
  changed_.wait(lock, [this] { return ended_; });
  return error_ == 0 ? Status() : Status(refusal(error_, "read"));
}

void RequestLoop::startThread() {
  try {
    std::thread([this] { work(); }).detach();
    ++threads_;
    ++waiting_;
  } catch (const std::system_error&) {
    // There is one already, or there will be when the others are done.
  }
}

void RequestLoop::takeUp() {
  const std::lock_guard lock(mutex_);
  --waiting_;
  if (waiting_ == 0 && threads_ < kMaxThreads) startThread();
}

bool RequestLoop::layDown() {
  const std::lock_guard lock(mutex_);
  if (waiting_ >= kMaxWaiting) {
    --threads_;
    return false;
  }
  ++waiting_;
  return true;
}

void RequestLoop::end(int error) {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  error_ = error;
  changed_.notify_one();
}

void RequestLoop::work() {
  const auto memory = std::make_unique_for_overwrite<char[]>(kBufferBytes);
  bool first = true;
  for (;;) {
    const ssize_t got = read(device_, memory.get(), kBufferBytes);
    if (got < 0) {
      // ENOENT: the request was interrupted before it was read.
      if (errno == ENOENT || errno == EINTR || errno == EAGAIN) continue;
      return end(errno == ENODEV ? 0 : errno);
    }
    takeUp();
    const auto size = static_cast<std::size_t>(got);
    if (std::exchange(first, false)) readOffer(memory.get(), size);
    fuse_buf request{.size = size, .flags = {}, .mem = memory.get(), .fd = -1, .pos = 0};
    fuse_session_process_buf(session_, &request);
    if (fuse_session_exited(session_) != 0) return end(0);
    if (!layDown()) return;
  }
}

}  // namespace teu::unionfs
