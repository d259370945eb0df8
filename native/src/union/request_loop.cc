#include "union/request_loop.h"

#include <unistd.h>

#include <chrono>
#include <system_error>
#include <thread>

#include "union/session.h"

namespace teu::unionfs {
namespace {

/// A slow request takes a thread, so there may be a few.
constexpr unsigned kMaxThreads = 32;
constexpr unsigned kMaxSpare = 1;
/// What the kernel wants beside the data.
constexpr std::size_t kHeaderBytes = 4096;
constexpr std::size_t kBufferBytes = kMaxWrite + kHeaderBytes;
/// A request that was not expected to be slow may take so long before another thread reads.
constexpr std::chrono::milliseconds kPatience(5);
/// So many times nothing happens before the watcher sleeps.
constexpr unsigned kQuietRounds = 20;

/// The loop that the calling thread answers for.
thread_local RequestLoop* answering = nullptr;

}  // namespace

Status RequestLoop::run() {
  std::thread([this] { watch(); }).detach();
  std::unique_lock lock(mutex_);
  replaceReader();
  ending_.wait(lock, [this] { return ended_; });
  return error_ == 0 ? Status() : Status(refusal(error_, "read"));
}

void RequestLoop::expectDelay() {
  if (answering == nullptr) return;
  const std::lock_guard lock(answering->mutex_);
  answering->replaceReader();
}

void RequestLoop::replaceReader() {
  if (reading_ > 0) return;
  if (spare_ > called_) {
    ++called_;
    ++reading_;
    wanted_.notify_one();
    return;
  }
  if (threads_ == kMaxThreads) return;
  try {
    std::thread([this] { work(); }).detach();
    ++threads_;
    ++reading_;
  } catch (const std::system_error&) {
    // Who answers now will read afterwards.
  }
}

/// Some requests are slow though nothing says so beforehand: a disk is busy, a branch is far away.
void RequestLoop::watch() {
  std::unique_lock lock(mutex_);
  for (;;) {
    watcherSleeps_ = true;
    active_.wait(lock, [this] { return !watcherSleeps_; });
    std::uint64_t before = served_;
    for (unsigned quiet = 0; quiet < kQuietRounds;) {
      active_.wait_for(lock, kPatience);
      if (served_ != before) {
        before = served_;
        quiet = 0;
        continue;
      }
      replaceReader();
      ++quiet;
    }
  }
}

void RequestLoop::takeUp() {
  const std::lock_guard lock(mutex_);
  --reading_;
  ++served_;
  if (!watcherSleeps_) return;
  watcherSleeps_ = false;
  active_.notify_one();
}

bool RequestLoop::layDown() {
  std::unique_lock lock(mutex_);
  if (reading_ == 0) {
    ++reading_;
    return true;
  }
  if (spare_ - called_ >= kMaxSpare) {
    --threads_;
    return false;
  }
  ++spare_;
  wanted_.wait(lock, [this] { return called_ > 0; });
  --called_;
  --spare_;
  return true;
}

void RequestLoop::end(int error) {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  error_ = error;
  ending_.notify_one();
}

void RequestLoop::work() {
  const auto memory = std::make_unique_for_overwrite<char[]>(kBufferBytes);
  bool first = true;
  answering = this;
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
