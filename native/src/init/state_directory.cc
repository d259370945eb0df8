#include "init/state_directory.h"

#include "sys/files.h"
#include "sys/processes.h"
#include "sys/text.h"

namespace teu {
namespace {

constexpr int kEproto = 71;
constexpr unsigned kFileMode = 0600;
constexpr size_t kStartTicksField = 22;
constexpr size_t kBootIdLength = 36;
constexpr const char* kUnfinishedExit = "exit.tmp";
constexpr int kCreate = abi::kOpenWriteOnly | abi::kOpenCreate | abi::kOpenTruncate;

bool isDigit(char c) noexcept {
  return c >= '0' && c <= '9';
}

}  // namespace

bool parseStartTicks(const char* stat, uint64_t& ticks) noexcept {
  const char* afterName = nullptr;
  for (const char* at = stat; *at != '\0'; ++at) {
    if (*at == ')') afterName = at + 1;
  }
  if (afterName == nullptr) return false;
  const char* at = afterName;
  for (size_t field = 2; field < kStartTicksField; ++field) {
    while (*at == ' ') ++at;
    if (field + 1 == kStartTicksField) break;
    while (*at != ' ' && *at != '\0') ++at;
  }
  if (!isDigit(*at)) return false;
  ticks = 0;
  for (; isDigit(*at); ++at) ticks = ticks * 10 + static_cast<uint64_t>(*at - '0');
  return true;
}

Result<uint64_t> readStartTicks(int pid) noexcept {
  TextBuffer<64> path;
  path.add("/proc/").add(static_cast<uint64_t>(pid)).add("/stat");
  char stat[1024];
  Result<size_t> size = sys::readSmallFile(abi::kAtFdCwd, path.text(), stat, sizeof stat);
  if (!size) return size.status().on("/proc/PID/stat");
  uint64_t ticks = 0;
  if (!parseStartTicks(stat, ticks)) return brokenRule(kEproto, "stat").on("/proc/PID/stat");
  return static_cast<uint64_t&&>(ticks);
}

Status writePidFile(int directory, const ProcessPayload& process) noexcept {
  char bootId[64];
  constexpr const char* kBootIdPath = "/proc/sys/kernel/random/boot_id";
  Result<size_t> size = sys::readSmallFile(abi::kAtFdCwd, kBootIdPath, bootId, sizeof bootId);
  if (!size) return size.status().on(kBootIdPath);
  if (size.value() < kBootIdLength) return brokenRule(kEproto, "boot id").on(kBootIdPath);
  TextBuffer<128> text;
  text.add(uint64_t{process.pid}).add(" ").add(process.startTicks).add(" ");
  text.add(static_cast<uint64_t>(sys::currentPid())).add(" ");
  text.add(TextView(bootId, kBootIdLength)).add("\n");
  Result<UniqueFd> file = sys::openAt(directory, "pid", kCreate, kFileMode);
  if (!file) return file.status().on("pid");
  return sys::writeAll(file.value().get(), text.text(), text.length()).on("pid");
}

Status ExitFile::prepare(int directory) noexcept {
  Result<UniqueFd> file = sys::openAt(directory, kUnfinishedExit, kCreate, kFileMode);
  if (!file) return file.status().on(kUnfinishedExit);
  directory_ = directory;
  file_ = static_cast<UniqueFd&&>(file.value());
  const ExitPayload nothing{};
  return sys::writeAll(file_.get(), &nothing, sizeof nothing).on(kUnfinishedExit);
}

Status ExitFile::write(const ExitPayload& exit) noexcept {
  Result<size_t> size = sys::writeAt(file_.get(), &exit, sizeof exit, 0);
  if (!size) return size.status().on(kUnfinishedExit);
  file_.reset();
  return sys::renameAt(directory_, kUnfinishedExit, "exit").on("exit");
}

}  // namespace teu
