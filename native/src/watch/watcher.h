#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conversation/words.h"
#include "sys/result.h"
#include "sys/unique_fd.h"
#include "watch/counts.h"
#include "watch/group_watch.h"
#include "watch/hierarchies.h"
#include "watch/kmsg_reader.h"
#include "watch/oom_report.h"
#include "watch/options.h"
#include "watch/slow_closer.h"
#include "watch/threshold_worker.h"

namespace teu::watch {

/// Waits for all groups in one thread, and puts what the kernel tells into lines for standard
/// output.
class Watcher {
 public:
  /// One that watches nothing.
  Watcher() = default;

  /// Opens what it needs of the host. A kernel log that cannot be read is left out.
  static Result<Watcher> open(const Options& options);

  /// Serves until standard input ends. Returns the exit status.
  int run();

 private:
  using Clock = std::chrono::steady_clock;
  /// A descriptor that is left alone for a while, so that a group which comes to its limits without
  /// end costs little.
  struct Rest {
    std::uint64_t key;
    Slot slot;
  };
  struct Parent {
    std::string path;
    std::size_t groups = 0;
  };

  std::string handle(std::string_view line);
  Status watch(std::uint64_t key, std::string path);
  void unwatch(std::uint64_t key);
  Status watchPressure(std::uint64_t key);
  Result<conversation::Values> run(const conversation::Words& words);
  Result<std::uint64_t> sync();

  void forget(std::uint64_t key);
  void tellGone(std::uint64_t key);
  void arm(const GroupWatch& group, std::uint64_t key, Slot slot, int operation);
  bool watchParent(const std::string& path);
  void onUnheard(std::uint64_t key);
  std::optional<std::uint64_t> inodeOf(const std::string& path) const;
  void unwatchParent(const std::string& path);
  void tell(std::uint64_t key, GroupWatch& group, bool mayHaveReached);
  void pollAlways(std::uint64_t key);

  bool readInput();
  void onReady(std::uint64_t data, std::uint32_t events);
  void onInotify();
  void onRemoved(int parent, std::string_view name);
  void onParentGone(int parent);
  void onThreads();
  void onKmsg();
  void onRecord(const KmsgRecord& record, bool live);
  void onRested();
  int timeout() const;
  bool flush();

  Hierarchies roots_{};
  PressureOptions pressure_{};
  UniqueFd epoll_{};
  UniqueFd inotify_{};
  KmsgReader kmsg_{};
  UniqueFd threadsDone_{};
  std::unique_ptr<ThresholdWorker> thresholds_{};
  std::unique_ptr<SlowCloser> closer_{};
  /// What the request or event that is handled now lets go of.
  std::vector<UniqueFd> closing_{};
  OomAssembler reports_{};
  bool kmsgIsLive_ = false;
  bool saidUnheard_ = false;
  std::unordered_map<std::uint64_t, GroupWatch> groups_{};
  std::unordered_map<std::string, std::uint64_t> keys_{};
  std::unordered_map<int, std::uint64_t> files_{};
  std::unordered_map<int, Parent> parents_{};
  std::unordered_map<std::string, int> parentWatches_{};
  std::multimap<Clock::time_point, Rest> resting_{};
  /// Groups whose counters are looked at from time to time, because the kernel does not notify of
  /// them.
  std::map<std::uint64_t, Clock::time_point> polled_{};
  bool inotifyRests_ = false;
  Clock::time_point inotifyEnd_{};
  std::string input_{};
  std::string output_{};
};

}  // namespace teu::watch
