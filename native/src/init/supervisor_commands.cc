#include "init/child.h"
#include "init/supervisor.h"
#include "sys/files.h"
#include "sys/sockets.h"
#include "sys/terminals.h"

namespace teu {
namespace {

constexpr int kEsrch = 3;
constexpr int kEbusy = 16;
constexpr int kEinval = 22;
constexpr int kEnotty = 25;
constexpr int kEpipe = 32;
constexpr int kEnosys = 38;
constexpr int kEalready = 114;
constexpr int kSigKill = 9;
constexpr uint32_t kHighestSignal = 64;
constexpr size_t kProcsChunk = 4096;
constexpr const char* kProgramPlanFile = "program";

template <typename Payload>
bool readPayload(const IncomingFrame& frame, Payload& payload) noexcept {
  if (frame.size != sizeof payload) return false;
  __builtin_memcpy(&payload, frame.payload, sizeof payload);
  return true;
}

int errorOf(const Status& status) noexcept {
  return status ? 0 : status.error().number;
}

void signalProcess(int pid, int signal) noexcept {
  Result<UniqueFd> pidfd = sys::openPidfd(pid);
  if (pidfd) static_cast<void>(sys::signalPidfd(pidfd.value().get(), signal));
}

}  // namespace

void Supervisor::obey(Client& client, const IncomingFrame& frame) noexcept {
  switch (frame.type) {
    case ClientFrame::kStart:
      return client.sendResult(frame.tag, obeyStart());
    case ClientFrame::kStartPlanned:
      return client.sendResult(frame.tag, obeyStartPlanned());
    case ClientFrame::kSignal:
      return client.sendResult(frame.tag, obeySignal(frame));
    case ClientFrame::kResize:
      return client.sendResult(frame.tag, obeyResize(frame));
    case ClientFrame::kAttach:
      return obeyAttach(client, frame);
    case ClientFrame::kDetach:
      client.attached = false;
      return client.sendResult(frame.tag, 0);
    case ClientFrame::kStdinOpen:
      return obeyStdinOpen(client, frame);
    case ClientFrame::kStdin:
      return obeyStdin(client, frame);
    case ClientFrame::kStdinClose:
      if (inputOwner_ == &client) input_.closeAfterwards();
      giveCredit(input_.write());
      return client.sendResult(frame.tag, 0);
    case ClientFrame::kStatus:
      return answerStatus(client, frame);
  }
  client.sendResult(frame.tag, kEnosys);
}

int Supervisor::obeyStart() noexcept {
  if (state_ != SupervisorState::kCreated) return kEalready;
  if (settings_.holdsWorld) return kEinval;
  state_ = SupervisorState::kStarting;
  return errorOf(sys::sendMessage(program_.sync.get(), kSyncGo, -1));
}

/// The plan goes to the child as a descriptor, since the child sees the host's files no more.
int Supervisor::obeyStartPlanned() noexcept {
  if (state_ != SupervisorState::kCreated) return kEalready;
  if (!settings_.holdsWorld) return kEinval;
  Result<UniqueFd> plan = sys::openAt(directory_.get(), kProgramPlanFile, abi::kOpenReadOnly);
  if (!plan) return plan.error().number;
  static_cast<void>(sys::unlinkAt(directory_.get(), kProgramPlanFile));
  state_ = SupervisorState::kStarting;
  return errorOf(sys::sendMessage(program_.sync.get(), kSyncGo, plan.value().get()));
}

int Supervisor::obeySignal(const IncomingFrame& frame) noexcept {
  SignalPayload payload{};
  if (!readPayload(frame, payload) || payload.signal > kHighestSignal) return kEinval;
  if (!program_.pidfd) return kEsrch;
  const int signal = static_cast<int>(payload.signal);
  // The first process of a pid namespace takes all others with it.
  const bool killsAll = signal == kSigKill && settings_.ownsPidNamespace;
  if (payload.all != 0 && !killsAll) return signalAll(signal);
  return errorOf(sys::signalPidfd(program_.pidfd.get(), signal));
}

int Supervisor::signalAll(int signal) noexcept {
  if (settings_.cgroupProcs[0] == '\0') return kEnosys;
  Result<UniqueFd> file = sys::openAt(abi::kAtFdCwd, settings_.cgroupProcs, abi::kOpenReadOnly);
  if (!file) return file.error().number;
  char chunk[kProcsChunk];
  int pid = 0;
  for (;;) {
    Result<size_t> size = sys::readSome(file.value().get(), chunk, sizeof chunk);
    if (!size) return size.error().number;
    if (size.value() == 0) return 0;
    for (size_t at = 0; at < size.value(); ++at) {
      if (chunk[at] >= '0' && chunk[at] <= '9') {
        pid = pid * 10 + (chunk[at] - '0');
        continue;
      }
      if (pid > 0) signalProcess(pid, signal);
      pid = 0;
    }
  }
}

int Supervisor::obeyResize(const IncomingFrame& frame) noexcept {
  ResizePayload payload{};
  constexpr uint32_t kLargest = 0xffff;
  if (!readPayload(frame, payload)) return kEinval;
  if (payload.rows > kLargest || payload.columns > kLargest) return kEinval;
  if (!settings_.terminal) return kEnotty;
  if (!terminal_) {
    terminalSize_ = payload;
    return 0;
  }
  return errorOf(sys::setWindowSize(terminal_.get(), payload.rows, payload.columns));
}

void Supervisor::obeyAttach(Client& client, const IncomingFrame& frame) noexcept {
  AttachPayload payload{};
  if (!readPayload(frame, payload)) return client.sendResult(frame.tag, kEinval);
  if (client.attached) return client.sendResult(frame.tag, kEbusy);
  client.attached = true;
  client.blocking = payload.blocking != 0;
  client.logEnded = false;
  client.position = payload.offset == kAttachEnd ? log_.end() : payload.offset;
  client.sendResult(frame.tag, 0);
}

void Supervisor::obeyStdinOpen(Client& client, const IncomingFrame& frame) noexcept {
  if (inputOwner_ != nullptr) return client.sendResult(frame.tag, kEbusy);
  if (!input_.isOpen()) return client.sendResult(frame.tag, kEpipe);
  inputOwner_ = &client;
  client.sendResult(frame.tag, 0);
  giveCredit(input_.room());
}

void Supervisor::obeyStdin(Client& client, const IncomingFrame& frame) noexcept {
  if (inputOwner_ != &client) return client.sendResult(frame.tag, kEpipe);
  if (!input_.push(frame.payload, frame.size)) return hangUp(client);
  giveCredit(input_.write());
}

void Supervisor::giveCredit(uint32_t bytes) noexcept {
  if (bytes == 0 || inputOwner_ == nullptr) return;
  inputOwner_->send(ServerFrame::kCredit, 0, &bytes, sizeof bytes);
}

void Supervisor::answerStatus(Client& client, const IncomingFrame& frame) noexcept {
  const StatusPayload status{.state = static_cast<uint32_t>(state_),
                             .unused = 0,
                             .process = process_,
                             .logStart = log_.start(),
                             .logEnd = log_.end(),
                             .lostBytes = log_.lostBytes()};
  client.send(ServerFrame::kStatusReply, frame.tag, &status, sizeof status);
}

}  // namespace teu
