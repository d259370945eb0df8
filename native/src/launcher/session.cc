#include "session.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

#include "connection.h"
#include "terminal.h"

namespace teu::launcher {

namespace {

// How long the resident may take to accept a command before it counts as stuck.
constexpr int kAcceptTimeoutMs = 10000;
// So many interrupts end the launcher, whatever the command does with them.
constexpr int kInterruptsToGiveUp = 3;
// A pipe that poll() calls writable takes this much without blocking (pipe(7)).
constexpr size_t kOutputChunk = 4096;
constexpr size_t kStdinChunk = 65536;

bool is_output(FrameType type) {
  return type == FrameType::kStdout || type == FrameType::kStderr;
}

uint32_t read_u32(const uint8_t* bytes) {
  return static_cast<uint32_t>(bytes[0]) | static_cast<uint32_t>(bytes[1]) << 8 |
         static_cast<uint32_t>(bytes[2]) << 16 | static_cast<uint32_t>(bytes[3]) << 24;
}

}  // namespace

// Remembers how to end; false is what the loop's steps return to stop it.
bool Session::finish(bool run_locally, int exit_code) {
  end_ = {run_locally, exit_code};
  return false;
}

SessionEnd Session::run() {
  bool resident_ready = false;
  bool stdin_ready = false;
  while (wait_for_something(&resident_ready, &stdin_ready) && forward_signals() &&
         (!resident_ready || read_resident()) && (!stdin_ready || forward_stdin())) {
  }
  set_raw_mode(false);
  return end_;
}

bool Session::wait_for_something(bool* resident_ready, bool* stdin_ready) {
  pollfd watched[3] = {
      {socket_, POLLIN, 0},
      {signal_pipe_, POLLIN, 0},
      {stdin_credit_ > 0 ? STDIN_FILENO : -1, POLLIN, 0},
  };
  const int count = poll(watched, 3, accepted_ ? -1 : kAcceptTimeoutMs);
  if (count == 0) {
    fputs(
        "teu: the resident process of `teu up` does not answer\n"
        "     restart it with: teu down && teu up --detach\n",
        stderr);
    return finish(false, kEngineFailure);
  }
  *resident_ready = count > 0 && watched[0].revents != 0;
  *stdin_ready = count > 0 && watched[2].revents != 0;
  return true;
}

bool Session::forward_signals() {
  uint8_t signals[64];
  const ssize_t count = read(signal_pipe_, signals, sizeof signals);
  for (ssize_t i = 0; i < count; i++) {
    const uint8_t signal = signals[i];
    if (signal == SIGWINCH) {
      const TerminalSize size = terminal_size();
      const uint8_t payload[4] = {
          static_cast<uint8_t>(size.rows), static_cast<uint8_t>(size.rows >> 8),
          static_cast<uint8_t>(size.columns), static_cast<uint8_t>(size.columns >> 8)};
      send_frame(socket_, FrameType::kResize, payload, sizeof payload);
      continue;
    }
    if (signal == SIGINT || signal == SIGTERM) {
      interrupts_++;
    }
    if (!accepted_ || interrupts_ >= kInterruptsToGiveUp) {
      return finish(false, 128 + signal);
    }
    send_frame(socket_, FrameType::kSignal, &signal, 1);
  }
  return true;
}

bool Session::forward_stdin() {
  uint8_t bytes[kStdinChunk];
  const size_t wanted = stdin_credit_ < sizeof bytes ? stdin_credit_ : sizeof bytes;
  const ssize_t count = read(STDIN_FILENO, bytes, wanted);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
    return true;
  }
  if (count <= 0) {
    stdin_credit_ = 0;
    send_frame(socket_, FrameType::kStdinEnd, nullptr, 0);
    return true;
  }
  stdin_credit_ -= static_cast<uint64_t>(count);
  // If the resident is gone, reading from it says so.
  send_frame(socket_, FrameType::kStdin, bytes, static_cast<size_t>(count));
  return true;
}

bool Session::read_resident() {
  uint8_t bytes[65536];
  const ssize_t count = recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
    return true;
  }
  if (count <= 0) {
    fputs("teu: the resident process of `teu up` ended before the command did\n", stderr);
    return finish(false, kEngineFailure);
  }
  return consume(bytes, static_cast<size_t>(count));
}

// Takes frames apart as they come in; output goes on without waiting for the whole frame.
bool Session::consume(const uint8_t* bytes, size_t size) {
  while (size > 0) {
    if (header_bytes_ < kHeaderBytes) {
      header_[header_bytes_++] = *bytes++;
      size--;
      if (header_bytes_ < kHeaderBytes) {
        continue;
      }
      payload_left_ = read_u32(header_);
      control_bytes_ = 0;
    }
    const auto type = static_cast<FrameType>(header_[4]);
    const size_t part = size < payload_left_ ? size : payload_left_;
    if (is_output(type)) {
      const int target = type == FrameType::kStdout ? STDOUT_FILENO : STDERR_FILENO;
      if (!write_output(target, bytes, part)) {
        return false;
      }
    } else {
      for (size_t i = 0; i < part && control_bytes_ < sizeof control_; i++) {
        control_[control_bytes_++] = bytes[i];
      }
    }
    bytes += part;
    size -= part;
    payload_left_ -= static_cast<uint32_t>(part);
    if (payload_left_ == 0) {
      header_bytes_ = 0;
      if (!is_output(type) && !handle_control_frame()) {
        return false;
      }
    }
  }
  return true;
}

bool Session::handle_control_frame() {
  switch (static_cast<FrameType>(header_[4])) {
    case FrameType::kAccepted:
      accepted_ = true;
      return true;
    case FrameType::kRunLocally:
      return finish(true, 0);
    case FrameType::kStdinCredit:
      stdin_credit_ += read_u32(control_);
      return true;
    case FrameType::kRawMode:
      set_raw_mode(control_[0] != 0);
      return true;
    case FrameType::kExit:
      return finish(false, static_cast<int>(read_u32(control_)) & 0xff);
    default:
      return true;  // a later version may tell more than we know
  }
}

// Writes whole, but stays open to signals: they interrupt a write that blocks, and are sent on.
// SIGPIPE has its default action, so a closed pipe ends the launcher as it ends any filter.
bool Session::write_output(int descriptor, const uint8_t* bytes, size_t size) {
  while (size > 0) {
    pollfd watched[2] = {{descriptor, POLLOUT, 0}, {signal_pipe_, POLLIN, 0}};
    poll(watched, 2, -1);
    if (watched[1].revents != 0 && !forward_signals()) {
      return false;
    }
    if (watched[0].revents == 0) {
      continue;
    }
    const ssize_t count = write(descriptor, bytes, size < kOutputChunk ? size : kOutputChunk);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
      continue;
    }
    if (count < 0) {
      if (errno == EPIPE || errno == EBADF) {
        return finish(false, 1);
      }
      fprintf(stderr, "teu: can't write output: %s\n", strerror(errno));
      return finish(false, 1);
    }
    bytes += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

}  // namespace teu::launcher
