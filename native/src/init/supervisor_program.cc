#include "init/child.h"
#include "init/state_directory.h"
#include "init/supervisor.h"
#include "launch/steps.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/sockets.h"
#include "sys/terminals.h"

namespace teu {
namespace {

constexpr int kEagain = 11;
constexpr int kEcanceled = 125;
constexpr int kReadsPerTurn = 16;
constexpr uint64_t kMicrosPerSecond = 1'000'000;
constexpr int kSignalMask = 0x7f;
constexpr int kCoreDumped = 0x80;

uint64_t microsOf(const abi::Timeval& time) noexcept {
  return static_cast<uint64_t>(time.seconds) * kMicrosPerSecond +
         static_cast<uint64_t>(time.microseconds);
}

/// wait(2)'s status and rusage as clients see them.
ExitPayload exitOf(const sys::ExitStatus& status) noexcept {
  const int signal = status.waitStatus & kSignalMask;
  const int exited = (status.waitStatus >> 8) & 0xff;
  return {.code = static_cast<uint32_t>(signal != 0 ? 128 + signal : exited),
          .signal = static_cast<uint16_t>(signal),
          .flags = (status.waitStatus & kCoreDumped) != 0 ? kExitFlagCoreDumped : uint16_t{0},
          .timeNs = sys::wallClockNs(),
          .userMicros = microsOf(status.usage.user),
          .systemMicros = microsOf(status.usage.system),
          .maxRssBytes = static_cast<uint64_t>(status.usage.maxRssKib) * 1024};
}

}  // namespace

void Supervisor::hearChild() noexcept {
  Result<sys::ReceivedMessage> received = sys::receiveMessage(program_.sync.get());
  if (!received) return fail(received.status().during(step::kSupervisor).error());
  sys::ReceivedMessage& message = received.value();
  if (message.ended) return programExecuted();
  if (message.message == kSyncTerminal) takeTerminal(static_cast<UniqueFd&&>(message.fd));
  if (message.message == kSyncHeld) {
    state_ = SupervisorState::kCreated;
    broadcast(ServerFrame::kCreated, &process_, sizeof process_);
  }
}

void Supervisor::programExecuted() noexcept {
  program_.sync.reset();
  if (report_.failed) return fail(report_.error());
  // A held program that was killed has ended like any other, without having begun.
  if (!report_.executing && state_ == SupervisorState::kCreated) return;
  if (!report_.executing) {
    return fail({.number = kEcanceled, .syscall = "wait4", .step = step::kKilled, .path = ""});
  }
  endPhase(report_.phases.exec);
  state_ = SupervisorState::kRunning;
  const StartedPayload started{.process = process_, .phases = report_.phases};
  broadcast(ServerFrame::kStarted, &started, sizeof started);
}

void Supervisor::takeTerminal(UniqueFd&& master) noexcept {
  Result<UniqueFd> forOutput = sys::duplicateAbove(master.get(), 0);
  Result<UniqueFd> forInput = sys::duplicateAbove(master.get(), 0);
  if (!forOutput) return fail(forOutput.status().during(step::kTerminal).error());
  if (!forInput) return fail(forInput.status().during(step::kTerminal).error());
  program_.output = static_cast<UniqueFd&&>(forOutput.value());
  input_.open(static_cast<UniqueFd&&>(forInput.value()), true);
  terminal_ = static_cast<UniqueFd&&>(master);
  if (terminalSize_.rows != 0 || terminalSize_.columns != 0) {
    static_cast<void>(
        sys::setWindowSize(terminal_.get(), terminalSize_.rows, terminalSize_.columns));
  }
}

void Supervisor::reapChildren() noexcept {
  uint8_t discarded[256];
  static_cast<void>(sys::readSome(childSignals_.get(), discarded, sizeof discarded));
  for (;;) {
    Result<sys::ExitStatus> status = sys::reap(-1);
    if (!status || status.value().pid == 0) return;
    // The others are orphans that came to us as subreaper.
    if (status.value().pid == program_.pid) programEnded(status.value());
    if (status.value().pid == unmounterPid_) worldReleased();
  }
}

void Supervisor::programEnded(const sys::ExitStatus& status) noexcept {
  // Its number may be somebody else's from now on.
  program_.pid = 0;
  program_.pidfd.reset();
  while (program_.sync) hearChild();
  if (!rotationMustWait()) readOutputs(true);
  exit_ = exitOf(status);
  state_ = SupervisorState::kExited;
  // Trouble with the disk must not hide the exit from those who listen.
  static_cast<void>(exitFile_.write(exit_));
  broadcast(ServerFrame::kExit, &exit_, sizeof exit_);
}

bool Supervisor::rotationMustWait() const noexcept {
  if (!log_.rotationIsNear()) return false;
  for (const Client& client : clients_) {
    if (client.open() && client.attached && client.blocking &&
        client.position < log_.currentFirst()) {
      return true;
    }
  }
  return false;
}

void Supervisor::readOutputs(bool untilEmpty) noexcept {
  int turns = kReadsPerTurn;
  bool more = true;
  while (more && (untilEmpty || turns-- > 0) && !rotationMustWait()) {
    more = false;
    if (program_.output && readOutput(program_.output, kLogStdout)) more = true;
    if (program_.error && readOutput(program_.error, kLogStderr)) more = true;
    if (more && log_.rotationIsNear()) feedClients();
  }
}

/// One read; false when there is nothing more now, or ever (then the end is closed).
bool Supervisor::readOutput(UniqueFd& end, uint8_t stream) noexcept {
  auto& record = *reinterpret_cast<LogStore::Record*>(recordMemory_.data());
  Result<size_t> size = sys::readSome(end.get(), record.data, sizeof record.data);
  if (!size && size.error().number == kEagain) return false;
  // A terminal answers EIO when the last program has closed it.
  if (!size || size.value() == 0) {
    end.reset();
    return false;
  }
  log_.append(record, size.value(), stream);
  return true;
}

void Supervisor::feedClients() noexcept {
  const bool ended = state_ == SupervisorState::kExited && outputsEnded();
  for (Client& client : clients_) {
    if (!client.open() || !client.attached) continue;
    client.feed(log_);
    if (ended && !client.logEnded && !client.hasUnsent() && client.position >= log_.end()) {
      client.logEnded = true;
      client.send(ServerFrame::kLogEnd, 0, "", 0);
    }
    if (!client.open()) hangUp(client);
  }
  if (!ended || leaving_) return;
  input_.close();
  terminal_.reset();
  goAway();
}

}  // namespace teu
