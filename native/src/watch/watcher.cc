#include "watch/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "conversation/words.h"
#include "sys/files.h"
#include "watch/group_events.h"
#include "watch/oom_lines.h"
#include "watch/output.h"

namespace teu::watch {
namespace {

using conversation::malformed;
using std::chrono::milliseconds;

/// How long a descriptor rests after it has told something.
constexpr milliseconds kRest{1000};
/// How long file watches rest: the kernel merges what is told meanwhile, where it is the same.
constexpr milliseconds kInotifyRest{20};
/// How often counters are looked at that nothing tells of.
constexpr milliseconds kPoll{2000};
constexpr std::size_t kMaxLine = 8192;

/// What a ready descriptor is: one of these, or a group's key and slot.
enum Source : std::uint64_t { kInput, kInotify, kKmsg, kThreads, kGroups };
constexpr std::uint64_t kSlotBits = 3;
constexpr std::uint64_t kLargestKey = std::uint64_t{1} << 53;

std::uint64_t dataOf(std::uint64_t key, Slot slot) {
  return kGroups + ((key << kSlotBits) | static_cast<std::uint64_t>(slot));
}

Status addTo(int epoll, int fd, std::uint32_t events, std::uint64_t data, int operation) {
  epoll_event event{.events = events, .data = {.u64 = data}};
  return statusOf(epoll_ctl(epoll, operation, fd, &event) < 0 ? -errno : 0, "epoll_ctl");
}

/// Takes the numbers of an event out of a descriptor that counts them.
void drainEvent(int fd) {
  std::uint64_t count = 0;
  (void)!sys::readSome(fd, &count, sizeof count);
}

std::uint64_t microsecondsOf(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

/// The kernel's clock is not adjusted as others are: what is read as it comes is of now, older
/// records are where that clock puts them.
std::uint64_t realtimeOf(std::uint64_t kernelMicroseconds, bool live) {
  const std::uint64_t now = microsecondsOf(CLOCK_REALTIME);
  const std::uint64_t clock = microsecondsOf(CLOCK_MONOTONIC);
  if (live || kernelMicroseconds > clock) return now;
  return now - (clock - kernelMicroseconds);
}

std::string parentOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string_view resourceOf(Slot slot) {
  switch (slot) {
    case Slot::kMemoryPressure:
      return "memory";
    case Slot::kIoPressure:
      return "io";
    case Slot::kCpuPressure:
      return "cpu";
    default:
      return "level";
  }
}

bool isEventfd(Slot slot) {
  return slot == Slot::kOom || slot == Slot::kThreshold || slot == Slot::kLevel;
}

Status openRoot(UniqueFd& root, const std::string& path) {
  if (path.empty()) return {};
  Result<UniqueFd> opened = sys::openAt(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
  if (!opened) return opened.status();
  root = std::move(opened.value());
  return {};
}

}  // namespace

Result<Watcher> Watcher::open(const Options& options) {
  Watcher watcher;
  watcher.pressure_ = options.pressure;
  for (const auto& [root, path] : {std::pair{&watcher.roots_.memory, &options.memory},
                                   std::pair{&watcher.roots_.pids, &options.pids},
                                   std::pair{&watcher.roots_.unified, &options.unified}}) {
    const Status opened = openRoot(*root, *path);
    if (!opened) return opened.during("open a hierarchy");
  }
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return statusOf(-errno, "epoll_create1");
  watcher.epoll_.reset(epoll);
  const int inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (inotify < 0) return statusOf(-errno, "inotify_init1");
  watcher.inotify_.reset(inotify);
  const Status input = addTo(epoll, STDIN_FILENO, EPOLLIN, kInput, EPOLL_CTL_ADD);
  if (!input) return input.during("wait for requests");
  const Status files = addTo(epoll, inotify, EPOLLIN, kInotify, EPOLL_CTL_ADD);
  if (!files) return files;
  Result<UniqueFd> done = makeEvent();
  if (!done) return done.status();
  const Status thresholds = addTo(epoll, done.value().get(), EPOLLIN, kThreads, EPOLL_CTL_ADD);
  if (!thresholds) return thresholds;
  watcher.threadsDone_ = std::move(done.value());
  watcher.thresholds_ = std::make_unique<ThresholdWorker>(watcher.threadsDone_.get());
  watcher.closer_ = std::make_unique<SlowCloser>(watcher.threadsDone_.get());
  if (options.kmsgFrom) {
    Result<KmsgReader> kmsg = KmsgReader::open(*options.kmsgFrom);
    if (kmsg) watcher.kmsg_ = std::move(kmsg.value());
    if (kmsg && !addTo(epoll, watcher.kmsg_.fd(), EPOLLIN, kKmsg, EPOLL_CTL_ADD))
      watcher.kmsg_ = {};
  }
  return watcher;
}

int Watcher::run() {
  output_ += kmsgLine(kmsg_);
  std::array<epoll_event, 64> events;
  for (;;) {
    if (!flush()) return 0;
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), timeout());
    if (count < 0 && errno != EINTR) return 1;
    for (int index = 0; index < count; ++index) {
      const epoll_event& event = events[static_cast<std::size_t>(index)];
      if (event.data.u64 == kInput) {
        if (!readInput()) return 0;
      } else {
        onReady(event.data.u64, event.events);
      }
    }
    onRested();
  }
}

bool Watcher::flush() {
  if (output_.empty()) return true;
  const Status written = sys::writeAll(STDOUT_FILENO, output_.data(), output_.size());
  output_.clear();
  // Who listened may be gone.
  return static_cast<bool>(written);
}

bool Watcher::readInput() {
  std::array<char, 65536> buffer;
  Result<size_t> got = sys::readSome(STDIN_FILENO, buffer.data(), buffer.size());
  if (!got || got.value() == 0) return false;
  input_.append(buffer.data(), got.value());
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = input_.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    const std::string answer = handle(std::string_view(input_).substr(begin, end - begin));
    // After what the request made it say.
    output_ += answer;
  }
  input_.erase(0, begin);
  return input_.size() <= kMaxLine;
}

std::string Watcher::handle(std::string_view line) {
  std::string answer =
      conversation::answer(line, [this](const conversation::Words& words) { return run(words); });
  if (closing_.empty()) return answer;
  // It is done when they are closed.
  closer_->close(std::exchange(closing_, {}), std::move(answer));
  return {};
}

Result<conversation::Values> Watcher::run(const conversation::Words& words) {
  const std::string_view verb = words.front();
  if (verb == "sync" && words.size() == 1) {
    Result<std::uint64_t> last = sync();
    if (!last) return last.status();
    return conversation::Values{last.value()};
  }
  const auto key = words.size() > 1 ? conversation::parseNumber(words[1]) : std::nullopt;
  if (!key || *key > kLargestKey) return malformed();
  if (verb == "watch" && words.size() == 3 && isGroupPath(words[2])) {
    return conversation::silent(watch(*key, std::string(words[2])));
  }
  if (words.size() != 2) return malformed();
  if (verb == "pressure") return conversation::silent(watchPressure(*key));
  if (verb != "unwatch") return malformed();
  unwatch(*key);
  return conversation::Values{};
}

/// A group that is watched already is watched anew, for its limits may be others.
Status Watcher::watch(std::uint64_t key, std::string path) {
  Counts told{};
  std::optional<Reached> reached;
  const auto before = groups_.find(key);
  GroupWatch group(std::move(path));
  if (before != groups_.end()) {
    told = before->second.counts;
    reached = before->second.reached();
    if (before->second.path() == group.path()) group.adoptPressure(before->second);
  }
  forget(key);
  group.counts = told;
  const Status begun = group.begin(roots_, pressure_, inotify_.get());
  if (!begun) return begun;
  if (reached) group.adoptReached(*reached);
  group.inode = inodeOf(group.path()).value_or(0);
  const auto [place, isNew] = groups_.insert_or_assign(key, std::move(group));
  GroupWatch& added = place->second;
  keys_[added.path()] = key;
  for (const int file : added.watches()) files_[file] = key;
  for (std::size_t index = 0; index < kSlots; ++index) {
    arm(added, key, static_cast<Slot>(index), EPOLL_CTL_ADD);
  }
  const bool isHeard = watchParent(added.path()) && !added.isUnheard();
  if (!isHeard) onUnheard(key);
  if (added.limitsTasksSilently() && kmsg_.fd() < 0) pollAlways(key);
  if (added.memoryLimit() > 0) {
    Result<UniqueFd> directory = openGroup(roots_.memory, added.path());
    if (directory) {
      thresholds_->add({.key = key,
                        .group = std::move(directory.value()),
                        .bytes = added.memoryLimit(),
                        .event = UniqueFd{}});
    }
  }
  // What happened before the kernel was asked. What memory came to is told once.
  tell(key, added, !added.memoryWasReached());
  return {};
}

Status Watcher::watchPressure(std::uint64_t key) {
  const auto found = groups_.find(key);
  if (found == groups_.end())
    return SysError{.number = ENOENT, .syscall = "pressure", .step = "find the group"};
  found->second.beginPressure(roots_, pressure_);
  for (const Slot slot : {Slot::kMemoryPressure, Slot::kIoPressure, Slot::kCpuPressure}) {
    arm(found->second, key, slot, EPOLL_CTL_ADD);
  }
  return {};
}

void Watcher::unwatch(std::uint64_t key) {
  const auto found = groups_.find(key);
  if (found == groups_.end()) return;
  // What happened while its descriptors rested.
  tell(key, found->second, false);
  forget(key);
}

void Watcher::forget(std::uint64_t key) {
  const auto found = groups_.find(key);
  if (found == groups_.end()) return;
  for (const int file : found->second.watches()) {
    files_.erase(file);
    inotify_rm_watch(inotify_.get(), file);
  }
  unwatchParent(found->second.path());
  const auto known = keys_.find(found->second.path());
  if (known != keys_.end() && known->second == key) keys_.erase(known);
  polled_.erase(key);
  for (UniqueFd& descriptor : found->second.takePressure())
    closing_.push_back(std::move(descriptor));
  groups_.erase(found);
}

void Watcher::tellGone(std::uint64_t key) {
  forget(key);
  if (!closing_.empty()) closer_->close(std::exchange(closing_, {}), {});
  output_ += goneLine(key);
}

void Watcher::arm(const GroupWatch& group, std::uint64_t key, Slot slot, int operation) {
  const int fd = group.fd(slot);
  if (fd < 0) return;
  const std::uint32_t events = (isEventfd(slot) ? EPOLLIN : EPOLLPRI) | EPOLLONESHOT;
  (void)!addTo(epoll_.get(), fd, events, dataOf(key, slot), operation);
}

/// Somebody else may remove a group, which files of version 2 do not tell (kernfs, until Linux 7).
///
/// @return whether the kernel tells
bool Watcher::watchParent(const std::string& path) {
  const std::string parent = parentOf(path);
  const auto known = parentWatches_.find(parent);
  if (known != parentWatches_.end()) {
    parents_[known->second].groups += 1;
    return true;
  }
  for (const UniqueFd* root : {&roots_.memory, &roots_.unified, &roots_.pids}) {
    if (!*root) continue;
    Result<UniqueFd> directory = openGroup(*root, parent);
    if (!directory) continue;
    const std::string name = "/proc/self/fd/" + std::to_string(directory.value().get());
    const int watch = inotify_add_watch(inotify_.get(), name.c_str(), IN_DELETE | IN_ONLYDIR);
    if (watch < 0) continue;
    parentWatches_[parent] = watch;
    parents_[watch] = Parent{.path = parent, .groups = 1};
    return true;
  }
  return false;
}

/// Looks from time to time at a group of which the kernel does not tell.
void Watcher::onUnheard(std::uint64_t key) {
  pollAlways(key);
  if (!std::exchange(saidUnheard_, true)) output_ += unheardLine();
}

/// Inode of a group's directory where it is first looked for, as watchParent does.
std::optional<std::uint64_t> Watcher::inodeOf(const std::string& path) const {
  for (const UniqueFd* root : {&roots_.memory, &roots_.unified, &roots_.pids}) {
    if (!*root) continue;
    Result<UniqueFd> directory = openGroup(*root, path);
    if (!directory) continue;
    Result<sys::FileInfo> info = sys::fileInfo(directory.value().get());
    if (info) return info.value().inode;
  }
  return std::nullopt;
}

void Watcher::unwatchParent(const std::string& path) {
  const auto known = parentWatches_.find(parentOf(path));
  if (known == parentWatches_.end()) return;
  Parent& parent = parents_[known->second];
  parent.groups -= 1;
  if (parent.groups > 0) return;
  inotify_rm_watch(inotify_.get(), known->second);
  parents_.erase(known->second);
  parentWatches_.erase(known);
}

/// Tells of a group's counters if they have changed, or that it is gone; then it is no longer
/// watched.
///
/// @param mayHaveReached tells that the kernel said something of memory's limit, which no counter
/// may show.
void Watcher::tell(std::uint64_t key, GroupWatch& group, bool mayHaveReached) {
  bool exists = false;
  const Counts now = readCounts(roots_, group.path(), exists);
  if (!exists) {
    tellGone(key);
    return;
  }
  const bool reached = mayHaveReached && group.memoryReached(roots_);
  // Of version 1; also where the limit is one of a group above.
  if (now.pidsMax > 0 && roots_.pids) pollAlways(key);
  if (now == group.counts && !reached) return;
  group.counts = now;
  output_ += countsLine(key, now, reached);
}

void Watcher::pollAlways(std::uint64_t key) {
  polled_.try_emplace(key, Clock::now() + kPoll);
}

Result<std::uint64_t> Watcher::sync() {
  if (kmsg_.fd() < 0) return brokenRule(ENOENT, "no kernel log");
  onKmsg();
  return kmsg_.lastSequence();
}

void Watcher::onReady(std::uint64_t data, std::uint32_t events) {
  if (data == kKmsg) return onKmsg();
  if (data == kInotify) return onInotify();
  if (data == kThreads) return onThreads();
  const std::uint64_t key = (data - kGroups) >> kSlotBits;
  const auto slot = static_cast<Slot>((data - kGroups) & ((1U << kSlotBits) - 1));
  const auto found = groups_.find(key);
  if (found == groups_.end() || found->second.fd(slot) < 0) return;
  GroupWatch& group = found->second;
  if (isEventfd(slot)) drainEvent(group.fd(slot));
  bool exists = false;
  (void)readCounts(roots_, group.path(), exists);
  if (!exists) {
    tellGone(key);
    return;
  }
  if (!isEventfd(slot) && (events & EPOLLERR) != 0) {
    group.close(slot);
    return;
  }
  if (slot == Slot::kOom || slot == Slot::kThreshold) {
    tell(key, group, true);
  } else {
    output_ += pressureLine(key, resourceOf(slot));
  }
  resting_.emplace(Clock::now() + kRest, Rest{.key = key, .slot = slot});
}

void Watcher::onRested() {
  const Clock::time_point now = Clock::now();
  while (!resting_.empty() && resting_.begin()->first <= now) {
    const Rest rest = resting_.begin()->second;
    resting_.erase(resting_.begin());
    const auto found = groups_.find(rest.key);
    if (found != groups_.end()) arm(found->second, rest.key, rest.slot, EPOLL_CTL_MOD);
  }
  std::vector<std::uint64_t> due;
  for (auto& [key, next] : polled_) {
    if (next > now) continue;
    next = now + kPoll;
    due.push_back(key);
  }
  for (const std::uint64_t key : due) {
    const auto found = groups_.find(key);
    if (found != groups_.end()) tell(key, found->second, false);
  }
  if (inotifyRests_ && inotifyEnd_ <= now) {
    inotifyRests_ = false;
    (void)!addTo(epoll_.get(), inotify_.get(), EPOLLIN, kInotify, EPOLL_CTL_MOD);
  }
}

/// Milliseconds until something is to be done by itself; -1 for never.
int Watcher::timeout() const {
  std::optional<Clock::time_point> next;
  const auto sooner = [&](Clock::time_point time) { next = next ? std::min(*next, time) : time; };
  if (!resting_.empty()) sooner(resting_.begin()->first);
  for (const auto& [key, time] : polled_) sooner(time);
  if (inotifyRests_) sooner(inotifyEnd_);
  if (!next) return -1;
  const auto left = std::chrono::ceil<milliseconds>(*next - Clock::now());
  return static_cast<int>(std::max<milliseconds::rep>(left.count(), 0));
}

void Watcher::onInotify() {
  alignas(inotify_event) std::array<char, 65536> buffer;
  // Each group once, however often it was told of.
  std::map<std::uint64_t, bool> changed;
  for (;;) {
    Result<size_t> got = sys::readSome(inotify_.get(), buffer.data(), buffer.size());
    if (!got || got.value() == 0) break;
    for (std::size_t at = 0; at < got.value();) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += sizeof(inotify_event) + event->len;
      if ((event->mask & IN_Q_OVERFLOW) != 0) {
        for (const auto& [key, group] : groups_) changed[key] = true;
      } else if ((event->mask & IN_DELETE) != 0) {
        onRemoved(event->wd, event->len == 0 ? "" : event->name);
      } else if ((event->mask & IN_IGNORED) != 0 && parents_.contains(event->wd)) {
        onParentGone(event->wd);
      } else if (const auto file = files_.find(event->wd); file != files_.end()) {
        changed[file->second] = true;
      }
    }
  }
  for (const auto& [key, isChanged] : changed) {
    const auto found = groups_.find(key);
    if (isChanged && found != groups_.end()) tell(key, found->second, false);
  }
  inotifyRests_ = true;
  inotifyEnd_ = Clock::now() + kInotifyRest;
  (void)!addTo(epoll_.get(), inotify_.get(), 0, kInotify, EPOLL_CTL_MOD);
}

void Watcher::onRemoved(int parent, std::string_view name) {
  const auto known = parents_.find(parent);
  if (known == parents_.end()) return;
  const std::string path =
      known->second.path == "." ? std::string(name) : known->second.path + '/' + std::string(name);
  const auto found = keys_.find(path);
  if (found == keys_.end()) return;
  const auto group = groups_.find(found->second);
  // It was made again, and what is watched is the new one.
  if (group != groups_.end() && group->second.inode == inodeOf(path)) return;
  tellGone(found->second);
}

/// It may have been made again, with groups in it that were watched before the kernel told that.
void Watcher::onParentGone(int parent) {
  const std::string path = std::move(parents_[parent].path);
  parents_.erase(parent);
  parentWatches_.erase(path);
  for (const auto& [key, group] : groups_) {
    if (parentOf(group.path()) == path && !watchParent(group.path())) pollAlways(key);
  }
}

void Watcher::onThreads() {
  drainEvent(threadsDone_.get());
  output_ += closer_->takeDone();
  for (ThresholdWorker::Task& task : thresholds_->takeDone()) {
    const auto found = groups_.find(task.key);
    // Gone, or its limit is another one by now.
    if (found == groups_.end() || found->second.memoryLimit() != task.bytes) continue;
    if (found->second.fd(Slot::kThreshold) >= 0) continue;
    found->second.setThreshold(std::move(task.event));
    arm(found->second, task.key, Slot::kThreshold, EPOLL_CTL_ADD);
    tell(task.key, found->second, !found->second.memoryWasReached());
  }
}

void Watcher::onKmsg() {
  Result<std::uint64_t> lost =
      kmsg_.drain([this](const KmsgRecord& record) { onRecord(record, kmsgIsLive_); });
  kmsgIsLive_ = true;
  if (lost && lost.value() > 0) output_ += lostLine(lost.value());
}

void Watcher::onRecord(const KmsgRecord& record, bool live) {
  if (const auto report = reports_.take(record)) {
    output_ += oomLine(*report, realtimeOf(report->microseconds, live));
  }
  if (!record.fromKernel) return;
  const auto path = parseForkRejected(record.text);
  if (!path) return;
  const auto found = keys_.find(std::string(path->substr(1)));
  if (found == keys_.end()) return;
  const auto group = groups_.find(found->second);
  if (group == groups_.end()) return;
  tell(group->first, group->second, false);
}

}  // namespace teu::watch
