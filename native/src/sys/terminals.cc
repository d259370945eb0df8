#include "sys/terminals.h"

#include "sys/raw_syscall.h"

namespace teu::sys {
namespace {
// <asm/ioctls.h> carries no types, but its names clash with libc's <termios.h> in hosted builds.
constexpr unsigned kSetPeerLock = 0x40045431;
constexpr unsigned kOpenPeer = 0x5441;
constexpr unsigned kSetWindowSize = 0x5414;
constexpr unsigned kSetControllingTty = 0x540e;
}  // namespace

Result<UniqueFd> openTerminalPeer(int master) noexcept {
  const int unlocked = 0;
  const long answer = call(__NR_ioctl, master, kSetPeerLock, &unlocked);
  if (answer < 0) return statusOf(answer, "ioctl");
  const int flags = abi::kOpenReadWrite | abi::kOpenNoControllingTty | abi::kOpenCloseOnExec;
  return fdOf(call(__NR_ioctl, master, kOpenPeer, flags), "ioctl");
}

Status setWindowSize(int terminal, unsigned rows, unsigned columns) noexcept {
  const abi::WindowSize size{.rows = static_cast<uint16_t>(rows),
                             .columns = static_cast<uint16_t>(columns),
                             .xPixels = 0,
                             .yPixels = 0};
  return statusOf(call(__NR_ioctl, terminal, kSetWindowSize, &size), "ioctl");
}

Status adoptTerminal(int terminal) noexcept {
  return statusOf(call(__NR_ioctl, terminal, kSetControllingTty, 0), "ioctl");
}

}  // namespace teu::sys
