// Threads that read requests and answer them: as many as are busy, and a few more.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

#include "union/filesystem.h"

namespace teu::unionfs {

/// Bytes of data in one request. With passthrough data comes in none.
inline constexpr unsigned kMaxWrite = 256U << 10;

class RequestLoop {
 public:
  RequestLoop(fuse_session* session, int device) noexcept : session_(session), device_(device) {}

  /// Answers until the file system is unmounted everywhere.
  Status run();

 private:
  void work();
  /// Notes that the calling thread has a request, and sees to it that another one waits.
  void takeUp();
  /// Notes that it has answered; false: there are enough that wait.
  bool layDown();
  void end(int error);
  void startThread();

  fuse_session* session_;
  int device_;
  std::mutex mutex_{};
  std::condition_variable changed_{};
  unsigned threads_ = 0;
  unsigned waiting_ = 0;
  bool ended_ = false;
  int error_ = 0;
};

}  // namespace teu::unionfs
