// What the kernel notifies of one group.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sys/result.h"
#include "sys/unique_fd.h"
#include "watch/counts.h"
#include "watch/hierarchies.h"

namespace teu::watch {

/// What a descriptor of a group tells of.
enum class Slot : unsigned { kOom, kThreshold, kLevel, kMemoryPressure, kIoPressure, kCpuPressure };
inline constexpr std::size_t kSlots = 6;

/// What to tell of pressure.
struct PressureOptions {
  /// Microseconds of waiting within two seconds, for memory, io and cpu; 0 for nothing.
  std::array<std::uint64_t, 3> waited{};
  /// "low", "medium" or "critical" of memory.pressure_level, where the host has no pressure files;
  /// empty for nothing.
  std::string level;
};

/// A limit of memory of version 1, and whether it was reached.
struct Reached {
  std::uint64_t limit = 0;
  bool was = false;
};

/// The descriptors that tell of one group, for epoll. Whatever a host does not have is left out.
class GroupWatch {
 public:
  explicit GroupWatch(std::string path) : path_(std::move(path)) {}

  /// Asks the kernel to tell. Limits are taken as they are now; after a change of them it is asked
  /// again.
  ///
  /// @param inotify gets watches on files that change when a limit is reached.
  Status begin(const Hierarchies& hierarchies, const PressureOptions& pressure, int inotify);

  /// Asks for what tells of waiting, once it is worth it: to stop asking takes the kernel long.
  void beginPressure(const Hierarchies& hierarchies, const PressureOptions& pressure);
  /// What tells of waiting, which is to be closed elsewhere.
  std::vector<UniqueFd> takePressure();
  /// Takes what tells of waiting over from the watch before.
  void adoptPressure(GroupWatch& before);

  const std::string& path() const noexcept { return path_; }
  /// Descriptor of a slot; -1 if there is none.
  int fd(Slot slot) const noexcept { return fds_[static_cast<std::size_t>(slot)].get(); }
  void close(Slot slot) noexcept { fds_[static_cast<std::size_t>(slot)].reset(); }
  /// Its limit of memory of version 1 in bytes; 0 for none. That it is reached is told by an
  /// eventfd that is asked for later, because that takes long.
  std::uint64_t memoryLimit() const noexcept { return memoryLimit_; }
  void setThreshold(UniqueFd event) noexcept { slot(Slot::kThreshold) = std::move(event); }
  /// Numbers of the inotify watches.
  const std::vector<int>& watches() const noexcept { return watches_; }
  /// Whether it has a limit of tasks of version 1, which recent kernels do not notify of
  /// (seen: 6.18).
  bool limitsTasksSilently() const noexcept { return limitsTasksSilently_; }
  /// Whether memory has come to its limit of version 1, now or, if that was not asked before, at
  /// any time.
  bool memoryReached(const Hierarchies& hierarchies);

  /// Whether that was asked and so.
  bool memoryWasReached() const noexcept { return memoryWasReached_; }
  /// Takes over from the watch before what is known of that; after begin.
  void adoptReached(const Reached& before) noexcept;
  Reached reached() const noexcept { return {.limit = memoryLimit_, .was = memoryWasReached_}; }
  /// Whether the kernel could not be asked to tell of a file (ENOSPC: too many inotify watches).
  bool isUnheard() const noexcept { return isUnheard_; }

  /// Inode of its directory.
  std::uint64_t inode = 0;
  /// What was told last.
  Counts counts{};

 private:
  void watchMemory(int group);
  void watchFile(int inotify, int group, const char* name);
  UniqueFd& slot(Slot which) noexcept { return fds_[static_cast<std::size_t>(which)]; }

  std::string path_;
  std::array<UniqueFd, kSlots> fds_{};
  std::vector<int> watches_{};
  bool limitsTasksSilently_ = false;
  std::uint64_t memoryLimit_ = 0;
  bool memoryWasReached_ = false;
  bool isUnheard_ = false;
};

}  // namespace teu::watch
