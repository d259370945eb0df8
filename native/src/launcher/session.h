// One command that runs in the resident process, as seen from the terminal.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "protocol.h"

namespace teu::launcher {

// How a session ended.
struct SessionEnd {
  bool runLocally;  // the resident did nothing; run the command in Node
  int exitCode;
};

// Carries bytes, signals and the terminal's size between this process and the resident until the
// command has ended. Standard input is read only as far as the resident gave credit: what the
// command doesn't take stays for the next program of the shell.
class Session {
 public:
  Session(int socket, int signalPipe) : socket_(socket), signalPipe_(signalPipe) {}
  SessionEnd run();

 private:
  bool waitForSomething(bool* residentReady, bool* stdinReady);
  bool forwardSignals();
  bool forwardStdin();
  bool readResident();
  bool consume(const uint8_t* bytes, size_t size);
  bool handleControlFrame();
  bool writeOutput(int descriptor, const uint8_t* bytes, size_t size);
  bool finish(bool runLocally, int exitCode);

  int socket_;
  int signalPipe_;
  bool accepted_ = false;
  uint64_t stdinCredit_ = 0;
  int interrupts_ = 0;
  uint8_t header_[kHeaderBytes] = {};
  size_t headerBytes_ = 0;
  uint32_t payloadLeft_ = 0;
  uint8_t control_[8] = {};
  size_t controlBytes_ = 0;
  SessionEnd end_ = {false, kEngineFailure};
};

}  // namespace teu::launcher
