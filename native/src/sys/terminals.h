// Pseudo terminals (pty(7)) without any lookup by name.
#pragma once

#include "sys/kernel_abi.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu::sys {

/// Unlocks the peer of a freshly opened ptmx and opens it (TIOCGPTPEER, Linux 4.13).
Result<UniqueFd> openTerminalPeer(int master) noexcept;
Status setWindowSize(int terminal, unsigned rows, unsigned columns) noexcept;
/// Makes it the controlling terminal of this session.
Status adoptTerminal(int terminal) noexcept;

}  // namespace teu::sys
