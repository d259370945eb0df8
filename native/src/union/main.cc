// teu-union: a union of directories as AUFS makes it, in user space. See README.md.
#include <malloc.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "layer/json_line.h"
#include "union/control.h"
#include "union/daemon.h"
#include "union/merge.h"
#include "union/options.h"
#include "union/pseudo_links.h"
#include "union/request_loop.h"
#include "union/session.h"

namespace teu::unionfs {
namespace {

constexpr char kUsage[] =
    "usage: teu-union mount --mount-point DIR --control SOCKET [--source NAME]\n"
    "                       --branch DIR=rw|ro|ro+wh...\n"
    "       teu-union merge UPPER LOWER [--lowest]\n"
    "       teu-union changes UPPER LOWER...\n";
constexpr int kFailed = 1;
constexpr int kMisused = 2;

std::string describe(const SysError& error) {
  const char* name = strerrorname_np(error.number);
  layer::JsonLine line;
  line.add("code", "SYSCALL")
      .add("message", std::string(error.syscall) + ": " + strerrordesc_np(error.number))
      .add("step", error.step)
      .add("path", error.path)
      .add("errno", static_cast<std::uint64_t>(error.number))
      .add("errnoName", name == nullptr ? "" : name);
  return line.finish();
}

int misused(const std::string& wrong) {
  layer::JsonLine line;
  line.add("code", "USAGE").add("message", wrong);
  const std::string text = kUsage + line.finish();
  (void)!write(STDERR_FILENO, text.data(), text.size());
  return kMisused;
}

Status run(const MountOptions& options, Daemon& daemon) {
  // Threads are many and allocate little; a heap for each would be most of the memory.
  mallopt(M_ARENA_MAX, 2);
  Result<BranchList> branches = openBranches(options.branches, {});
  if (!branches) return branches.status();
  // Never freed: threads that end with the process use it.
  auto& files = *new FileSystem(std::move(branches.value()));
  if (Status loaded = loadPseudoLinks(files.tree); !loaded) return loaded;
  if (Status serving = serveControl(options.control, files); !serving) return serving;
  Result<fuse_session*> session = mountUnion(options, files);
  if (!session) {
    (void)unlink(options.control.c_str());
    return session.status();
  }
  files.notifier.start(files.device);
  daemon.reportReady();
  const Status served = (new RequestLoop(session.value(), files.device))->run();
  (void)unlink(options.control.c_str());
  return served;
}

int mountCommand(int count, char** arguments) {
  MountOptions options;
  std::string wrong;
  if (!parseMountOptions(count, arguments, options, wrong)) return misused(wrong);
  Daemon daemon;
  Status done = daemon.begin();
  if (done) done = run(options, daemon);
  if (!done) daemon.reportFailure(describe(done.error()));
  // Other threads may be anywhere.
  _exit(done ? 0 : kFailed);
}

int tell(const Status& done, const MergeReport& report) {
  if (!done) {
    const std::string line = describe(done.error());
    (void)!write(STDERR_FILENO, line.data(), line.size());
    return kFailed;
  }
  layer::JsonLine line;
  line.add("changed", report.changed).add("paths", report.paths);
  const std::string text = line.finish();
  const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
  return written == static_cast<ssize_t>(text.size()) ? 0 : kFailed;
}

int mergeCommand(int count, char** arguments) {
  const bool lowest = count == 3 && std::string_view(arguments[2]) == "--lowest";
  if (count != 2 && !lowest) return misused("merge takes two directories");
  umask(0);
  raiseLimits();
  MergeReport report;
  const Status done = mergeBranch(arguments[0], arguments[1], lowest, report);
  return tell(done, report);
}

int changesCommand(int count, char** arguments) {
  if (count < 2) return misused("changes takes two directories or more");
  raiseLimits();
  MergeReport report;
  const std::vector<std::string> lower(arguments + 1, arguments + count);
  const Status done = listChanges(arguments[0], lower, report);
  return tell(done, report);
}

}  // namespace
}  // namespace teu::unionfs

int main(int count, char** arguments) {
  using namespace teu::unionfs;
  const std::string_view command = count > 1 ? arguments[1] : "";
  if (command == "mount") return mountCommand(count - 2, arguments + 2);
  if (command == "merge") return mergeCommand(count - 2, arguments + 2);
  if (command == "changes") return changesCommand(count - 2, arguments + 2);
  return misused("no such command");
}
