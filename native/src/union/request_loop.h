// Threads that read requests and answer them. One thread reads, and answers what it has read, for
// as long as that is quick: handing requests from thread to thread costs several times what most of
// them take. Whoever does something slow has another one read meanwhile.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
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

  /// The calling thread, if it answers a request, will be some time.
  static void expectDelay();

 private:
  void work();
  void watch();
  /// Has another thread read, if none does. Holding `mutex_`.
  void replaceReader();
  void takeUp();
  /// Waits until there is something to read again; false: there are others for it.
  bool layDown();
  void end(int error);

  fuse_session* session_;
  int device_;
  std::mutex mutex_{};
  std::condition_variable ending_{};
  std::condition_variable wanted_{};
  std::condition_variable active_{};
  unsigned threads_ = 0;
  unsigned reading_ = 0;  ///< threads that read, or are about to
  unsigned spare_ = 0;    ///< threads that wait to be wanted
  unsigned called_ = 0;   ///< of them, how many are wanted
  std::uint64_t served_ = 0;
  bool watcherSleeps_ = true;
  bool ended_ = false;
  int error_ = 0;
};

}  // namespace teu::unionfs
