#include "watch/group_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "sys/files.h"
#include "watch/group_events.h"
#include "watch/pressure_trigger.h"

namespace teu::watch {
namespace {

/// Pages that processors keep for themselves are counted as used; a limit is reached this close to
/// it.
constexpr std::uint64_t kSlackBytes = 1 << 20;

constexpr std::array<std::pair<Slot, const char*>, 3> kPressureFiles{{
    {Slot::kMemoryPressure, "memory.pressure"},
    {Slot::kIoPressure, "io.pressure"},
    {Slot::kCpuPressure, "cpu.pressure"},
}};

}  // namespace

Status GroupWatch::begin(const Hierarchies& hierarchies, const PressureOptions& pressure,
                         int inotify) {
  bool exists = false;
  if (hierarchies.memory) {
    Result<UniqueFd> group = openGroup(hierarchies.memory, path_);
    exists |= static_cast<bool>(group);
    if (group) watchMemory(group.value().get());
  }
  if (hierarchies.pids) {
    Result<UniqueFd> group = openGroup(hierarchies.pids, path_);
    exists |= static_cast<bool>(group);
    if (group) {
      limitsTasksSilently_ = readNumber(group.value().get(), "pids.max").has_value();
      if (limitsTasksSilently_) watchFile(inotify, group.value().get(), "pids.events");
    }
  }
  bool hasPressureFiles = false;
  if (hierarchies.unified) {
    Result<UniqueFd> group = openGroup(hierarchies.unified, path_);
    exists |= static_cast<bool>(group);
    if (group) {
      const int directory = group.value().get();
      watchFile(inotify, directory, "memory.events");
      watchFile(inotify, directory, pidsEventsFile(directory));
      hasPressureFiles = faccessat(directory, "memory.pressure", F_OK, 0) == 0;
    }
  }
  if (hierarchies.memory && !hasPressureFiles && !pressure.level.empty()) {
    Result<UniqueFd> group = openGroup(hierarchies.memory, path_);
    Result<UniqueFd> event = makeEvent();
    if (group && event &&
        notify(group.value().get(), event.value().get(), "memory.pressure_level", pressure.level)) {
      slot(Slot::kLevel) = std::move(event.value());
    }
  }
  if (exists) return {};
  return SysError{.number = ENOENT, .syscall = "openat2", .step = "find the group"};
}

void GroupWatch::watchMemory(int group) {
  memoryLimit_ = readNumber(group, "memory.limit_in_bytes").value_or(0);
  if (memoryLimit_ == 0) return;
  Result<UniqueFd> event = makeEvent();
  if (event && notify(group, event.value().get(), "memory.oom_control", "")) {
    slot(Slot::kOom) = std::move(event.value());
  }
}

void GroupWatch::beginPressure(const Hierarchies& hierarchies, const PressureOptions& pressure) {
  if (!hierarchies.unified) return;
  Result<UniqueFd> group = openGroup(hierarchies.unified, path_);
  if (!group) return;
  for (std::size_t index = 0; index < kPressureFiles.size(); ++index) {
    const auto& [which, file] = kPressureFiles[index];
    if (pressure.waited[index] == 0 || slot(which)) continue;
    // A host may have pressure switched off.
    Result<UniqueFd> trigger =
        makePressureTrigger(group.value().get(), file, pressure.waited[index]);
    if (trigger) slot(which) = std::move(trigger.value());
  }
}

std::vector<UniqueFd> GroupWatch::takePressure() {
  std::vector<UniqueFd> taken;
  for (const auto& [which, file] : kPressureFiles) {
    if (slot(which)) taken.push_back(std::move(slot(which)));
  }
  return taken;
}

void GroupWatch::adoptReached(const Reached& before) noexcept {
  // Of another limit it is not known whether it was reached, only whether it is now.
  memoryWasReached_ = before.was || memoryLimit_ != before.limit;
}

void GroupWatch::adoptPressure(GroupWatch& before) {
  for (const auto& [which, file] : kPressureFiles) slot(which) = std::move(before.slot(which));
}

void GroupWatch::watchFile(int inotify, int group, const char* name) {
  const std::string path = "/proc/self/fd/" + std::to_string(group) + '/' + name;
  const int watch = inotify_add_watch(inotify, path.c_str(), IN_MODIFY);
  if (watch >= 0) watches_.push_back(watch);
  // What a host does not have is no failure.
  else if (errno != ENOENT)
    isUnheard_ = true;
}

bool GroupWatch::memoryReached(const Hierarchies& hierarchies) {
  if (memoryLimit_ == 0) return false;
  Result<UniqueFd> group = openGroup(hierarchies.memory, path_);
  if (!group) return false;
  // What it came to at most is known for ever: the first time that is certain, later only what is
  // seen now.
  const char* file = memoryWasReached_ ? "memory.usage_in_bytes" : "memory.max_usage_in_bytes";
  const std::uint64_t used = readNumber(group.value().get(), file).value_or(0);
  if (used + kSlackBytes < memoryLimit_) return false;
  memoryWasReached_ = true;
  return true;
}

}  // namespace teu::watch
