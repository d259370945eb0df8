// The protocol of cli.sock, between the launcher (bin/teu) and the resident process (`teu up`).
// clients/cli/README.md describes it; clients/cli/src/resident/frames.ts is the other side.
#pragma once

#include <cstddef>
#include <cstdint>

namespace teu::launcher {

// Both sides must have the same one; the resident answers kRunLocally otherwise.
inline constexpr uint16_t kProtocolVersion = 1;

// A frame: payload length (4 bytes, little-endian), type (1 byte), payload.
inline constexpr size_t kHeaderBytes = 5;

// Frames to the resident have the upper bit clear, frames from it have it set.
enum class FrameType : uint8_t {
  kHello = 0x01,     // first frame: version, terminal, cwd, arguments, environment
  kStdin = 0x02,     // bytes of standard input, never more than there is credit for
  kStdinEnd = 0x03,  // end of standard input
  kSignal = 0x04,    // u8 signal number that the launcher got
  kResize = 0x05,    // u16 rows, u16 columns

  kAccepted = 0x81,     // the resident runs the command
  kRunLocally = 0x82,   // the resident can't run it; nothing was done; use Node
  kStdinCredit = 0x83,  // u32 bytes that may be sent in addition
  kStdout = 0x84,       // bytes for standard output
  kStderr = 0x85,       // bytes for standard error
  kRawMode = 0x86,      // u8: 1 puts the terminal into raw mode, 0 back
  kExit = 0x87,         // i32 exit code; last frame
};

// Bits of the hello's flags.
inline constexpr uint16_t kStdinIsTerminal = 1;
inline constexpr uint16_t kStdoutIsTerminal = 2;
inline constexpr uint16_t kStderrIsTerminal = 4;

// Exit code for failures of the engine itself, as docker has it.
inline constexpr int kEngineFailure = 125;

}  // namespace teu::launcher
