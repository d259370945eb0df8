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
  bool run_locally;  // the resident did nothing; run the command in Node
  int exit_code;
};

// Carries bytes, signals and the terminal's size between this process and the resident until the
// command has ended. Standard input is read only as far as the resident gave credit: what the
// command doesn't take stays for the next program of the shell.
class Session {
 public:
  Session(int socket, int signal_pipe) : socket_(socket), signal_pipe_(signal_pipe) {}
  SessionEnd run();

 private:
  bool wait_for_something(bool* resident_ready, bool* stdin_ready);
  bool forward_signals();
  bool forward_stdin();
  bool read_resident();
  bool consume(const uint8_t* bytes, size_t size);
  bool handle_control_frame();
  bool write_output(int descriptor, const uint8_t* bytes, size_t size);
  bool finish(bool run_locally, int exit_code);

  int socket_;
  int signal_pipe_;
  bool accepted_ = false;
  uint64_t stdin_credit_ = 0;
  int interrupts_ = 0;
  uint8_t header_[kHeaderBytes] = {};
  size_t header_bytes_ = 0;
  uint32_t payload_left_ = 0;
  uint8_t control_[8] = {};
  size_t control_bytes_ = 0;
  SessionEnd end_ = {false, kEngineFailure};
};

}  // namespace teu::launcher
