#include "init/child.h"
#include "sys/files.h"
#include "sys/mounts.h"
#include "sys/sockets.h"
#include "sys/terminals.h"

namespace teu {
namespace {

constexpr int kEinval = 22;
constexpr unsigned kPtmxMajor = 5;
constexpr unsigned kPtmxMinor = 2;
constexpr unsigned kKeepId = ~0U;

/// The multiplexer of a real devpts, reached without any symbolic link.
Result<UniqueFd> openMultiplexer(const RootHandle& root) noexcept {
  constexpr const char* kPath = "/dev/pts/ptmx";
  constexpr int kFlags = abi::kOpenReadWrite | abi::kOpenNoControllingTty | abi::kOpenNonBlocking;
  Result<UniqueFd> node = root.openWithoutLinks(kPath, abi::kOpenPath);
  if (!node) return node.status().on(kPath);
  Result<long> magic = sys::fileSystemMagic(node.value().get());
  if (!magic) return magic.status().on(kPath);
  Result<sys::FileInfo> file = sys::fileInfo(node.value().get());
  if (!file) return file.status().on(kPath);
  if (magic.value() != abi::kDevptsMagic || file.value().deviceMajor != kPtmxMajor ||
      file.value().deviceMinor != kPtmxMinor) {
    return brokenRule(kEinval, "not a devpts").on(kPath);
  }
  Result<UniqueFd> master = root.openWithoutLinks(kPath, kFlags);
  if (!master) return master.status().on(kPath);
  // Between the two lookups somebody may have mounted or moved things: ask the open file itself.
  Result<long> opened = sys::fileSystemMagic(master.value().get());
  if (!opened) return opened.status().on(kPath);
  if (opened.value() != abi::kDevptsMagic) return brokenRule(kEinval, "not a devpts").on(kPath);
  return master;
}

Status bindConsole(int peer, const RootHandle& root) noexcept {
  constexpr const char* kConsole = "/dev/console";
  Result<UniqueFd> target = root.openOrMakeFile(kConsole);
  if (!target) return target.status().on(kConsole);
  Result<UniqueFd> mount = sys::cloneMount(peer, "", false);
  if (!mount) return mount.status().on(kConsole);
  return root.attach(mount.value().get(), target.value().get(), kConsole);
}

Status ownTerminal(const UniqueFd& peer, uint32_t uid) noexcept {
  return uid == 0 ? Status{} : sys::changeOwner(peer.get(), uid, kKeepId);
}

}  // namespace

Status openTerminal(Child& child, const RootHandle& root) noexcept {
  const TerminalPlan& terminal = child.plan.process.terminal;
  Result<UniqueFd> master = openMultiplexer(root);
  if (!master) return master.status();
  Result<UniqueFd> peer = sys::openTerminalPeer(master.value().get());
  if (!peer) return peer.status();
  const int peerFd = peer.value().get();
  if (terminal.rows != 0 || terminal.columns != 0) {
    Status sized = sys::setWindowSize(peerFd, terminal.rows, terminal.columns);
    if (!sized) return sized;
  }
  if (!child.plan.joinsMounts()) {
    if (Status s = bindConsole(peerFd, root); !s) return s;
  }
  if (Status s = sys::sendMessage(child.sync.get(), kSyncTerminal, master.value().get()); !s) {
    return s;
  }
  child.stdio.input = static_cast<UniqueFd&&>(peer.value());
  return {};
}

Status installStdio(Child& child, uint32_t uid) noexcept {
  ChildStdio& stdio = child.stdio;
  if (child.plan.process.terminal.present) {
    if (Status s = ownTerminal(stdio.input, uid); !s) return s;
    if (Status s = sys::adoptTerminal(stdio.input.get()); !s) return s;
    for (int number = 0; number <= 2; ++number) {
      if (Status s = sys::duplicateTo(stdio.input.get(), number); !s) return s;
    }
    return {};
  }
  // 0 stays the null device that teu-init was started with unless there is input.
  const UniqueFd* ends[] = {&stdio.input, &stdio.output, &stdio.error};
  for (int number = 0; number <= 2; ++number) {
    const UniqueFd& end = *ends[number];
    if (!end) continue;
    // So that a program without privileges can open /dev/stdout.
    if (uid != 0) {
      if (Status s = sys::changeOwner(end.get(), uid, kKeepId); !s) return s;
    }
    if (Status s = sys::duplicateTo(end.get(), number); !s) return s;
  }
  return {};
}

}  // namespace teu
