// The files that tell about a launch when its supervisor is gone: `pid` and `exit`.
#pragma once

#include <stdint.h>

#include "launch/frames.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu {

/// Field 22 of /proc/PID/stat: when the process began, in clock ticks since boot. With it a pid is
/// unmistakable.
Result<uint64_t> readStartTicks(int pid) noexcept;
/// The field in such a text; false if it is none. The program's name in it may hold anything,
/// parentheses too.
bool parseStartTicks(const char* stat, uint64_t& ticks) noexcept;

/// `pid`: "PID STARTTICKS SUPERVISORPID BOOTID\n".
Status writePidFile(int directory, const ProcessPayload& process) noexcept;
/// `exit`: an ExitPayload; whole or absent. Its space is taken when the launch begins, so that a
/// full disk cannot swallow how the program ended, and the end has one file less to make.
class ExitFile {
 public:
  Status prepare(int directory) noexcept;
  Status write(const ExitPayload& exit) noexcept;

 private:
  int directory_ = -1;
  UniqueFd file_;
};

}  // namespace teu
