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

bool isOutput(FrameType type) {
  return type == FrameType::kStdout || type == FrameType::kStderr;
}

uint32_t readU32(const uint8_t* bytes) {
  return static_cast<uint32_t>(bytes[0]) | static_cast<uint32_t>(bytes[1]) << 8 |
         static_cast<uint32_t>(bytes[2]) << 16 | static_cast<uint32_t>(bytes[3]) << 24;
}

}  // namespace

// Remembers how to end; false is what the loop's steps return to stop it.
bool Session::finish(bool runLocally, int exitCode) {
  end_ = {runLocally, exitCode};
  return false;
}

SessionEnd Session::run() {
  bool residentReady = false;
  bool stdinReady = false;
  while (waitForSomething(&residentReady, &stdinReady) && forwardSignals() &&
         (!residentReady || readResident()) && (!stdinReady || forwardStdin())) {
  }
  setRawMode(false);
  return end_;
}

bool Session::waitForSomething(bool* residentReady, bool* stdinReady) {
  pollfd watched[3] = {
      {socket_, POLLIN, 0},
      {signalPipe_, POLLIN, 0},
      {stdinCredit_ > 0 ? STDIN_FILENO : -1, POLLIN, 0},
  };
  const int count = poll(watched, 3, accepted_ ? -1 : kAcceptTimeoutMs);
  if (count == 0) {
    fputs(
        "teu: the resident process of `teu up` does not answer\n"
        "     restart it with: teu down && teu up --detach\n",
        stderr);
    return finish(false, kEngineFailure);
  }
  *residentReady = count > 0 && watched[0].revents != 0;
  *stdinReady = count > 0 && watched[2].revents != 0;
  return true;
}

bool Session::forwardSignals() {
  uint8_t signals[64];
  const ssize_t count = read(signalPipe_, signals, sizeof signals);
  for (ssize_t i = 0; i < count; i++) {
    const uint8_t signal = signals[i];
    if (signal == SIGWINCH) {
      const TerminalSize size = terminalSize();
      const uint8_t payload[4] = {
          static_cast<uint8_t>(size.rows), static_cast<uint8_t>(size.rows >> 8),
          static_cast<uint8_t>(size.columns), static_cast<uint8_t>(size.columns >> 8)};
      sendFrame(socket_, FrameType::kResize, payload, sizeof payload);
      continue;
    }
    if (signal == SIGINT || signal == SIGTERM) {
      interrupts_++;
    }
    if (!accepted_ || interrupts_ >= kInterruptsToGiveUp) {
      return finish(false, 128 + signal);
    }
    sendFrame(socket_, FrameType::kSignal, &signal, 1);
  }
  return true;
}

bool Session::forwardStdin() {
  uint8_t bytes[kStdinChunk];
  const size_t wanted = stdinCredit_ < sizeof bytes ? stdinCredit_ : sizeof bytes;
  const ssize_t count = read(STDIN_FILENO, bytes, wanted);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
    return true;
  }
  if (count <= 0) {
    stdinCredit_ = 0;
    sendFrame(socket_, FrameType::kStdinEnd, nullptr, 0);
    return true;
  }
  stdinCredit_ -= static_cast<uint64_t>(count);
  // If the resident is gone, reading from it says so.
  sendFrame(socket_, FrameType::kStdin, bytes, static_cast<size_t>(count));
  return true;
}

bool Session::readResident() {
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
    if (headerBytes_ < kHeaderBytes) {
      header_[headerBytes_++] = *bytes++;
      size--;
      if (headerBytes_ < kHeaderBytes) {
        continue;
      }
      payloadLeft_ = readU32(header_);
      controlBytes_ = 0;
    }
    const auto type = static_cast<FrameType>(header_[4]);
    const size_t part = size < payloadLeft_ ? size : payloadLeft_;
    if (isOutput(type)) {
      const int target = type == FrameType::kStdout ? STDOUT_FILENO : STDERR_FILENO;
      if (!writeOutput(target, bytes, part)) {
        return false;
      }
    } else {
      for (size_t i = 0; i < part && controlBytes_ < sizeof control_; i++) {
        control_[controlBytes_++] = bytes[i];
      }
    }
    bytes += part;
    size -= part;
    payloadLeft_ -= static_cast<uint32_t>(part);
    if (payloadLeft_ == 0) {
      headerBytes_ = 0;
      if (!isOutput(type) && !handleControlFrame()) {
        return false;
      }
    }
  }
  return true;
}

bool Session::handleControlFrame() {
  switch (static_cast<FrameType>(header_[4])) {
    case FrameType::kAccepted:
      accepted_ = true;
      return true;
    case FrameType::kRunLocally:
      return finish(true, 0);
    case FrameType::kStdinCredit:
      stdinCredit_ += readU32(control_);
      return true;
    case FrameType::kRawMode:
      setRawMode(control_[0] != 0);
      return true;
    case FrameType::kExit:
      return finish(false, static_cast<int>(readU32(control_)) & 0xff);
    default:
      return true;  // a later version may tell more than we know
  }
}

// Writes whole, but stays open to signals: they interrupt a write that blocks, and are sent on.
// SIGPIPE has its default action, so a closed pipe ends the launcher as it ends any filter.
bool Session::writeOutput(int descriptor, const uint8_t* bytes, size_t size) {
  while (size > 0) {
    pollfd watched[2] = {{descriptor, POLLOUT, 0}, {signalPipe_, POLLIN, 0}};
    poll(watched, 2, -1);
    if (watched[1].revents != 0 && !forwardSignals()) {
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
