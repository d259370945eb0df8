// teu-union: a union of directories as AUFS makes it, in user space. See README.md.
#include <string.h>
#include <unistd.h>

#include <string>

#include "layer/json_line.h"
#include "union/control.h"
#include "union/daemon.h"
#include "union/options.h"
#include "union/pseudo_links.h"
#include "union/session.h"

namespace teu::unionfs {
namespace {

constexpr char kUsage[] =
    "usage: teu-union mount --mount-point DIR --control SOCKET [--source NAME]\n"
    "                       --branch DIR=rw|ro|ro+wh...\n";
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
  Status served = serve(session.value());
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

}  // namespace
}  // namespace teu::unionfs

int main(int count, char** arguments) {
  using namespace teu::unionfs;
  const std::string_view command = count > 1 ? arguments[1] : "";
  if (command == "mount") return mountCommand(count - 2, arguments + 2);
  return misused("no such command");
}
