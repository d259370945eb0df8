#include "init/supervisor.h"

#include <linux/sched.h>

#include "init/network.h"
#include "init/state_directory.h"
#include "launch/steps.h"
#include "sys/files.h"
#include "sys/sockets.h"

namespace teu {
namespace {

/// After the exit, this long without progress is what a client gets to read the rest; it is in the
/// files too.
constexpr uint64_t kLingerNs = 10'000'000'000;
/// For clients that are still on their way: a program can end before its launcher has asked for the
/// output.
constexpr uint64_t kGraceNs = 1'000'000'000;
constexpr int kSigKill = 9;
constexpr int kSigChld = 17;
constexpr size_t kMaxErrorText = 512;

template <size_t Size>
bool copyText(char (&to)[Size], const char* from) noexcept {
  const size_t length = textLength(from);
  if (length >= Size) return false;
  __builtin_memcpy(to, from, length + 1);
  return true;
}

/// `.../tasks` of a v1 hierarchy or the v2 directory -> the file that lists processes.
void copyCgroupProcs(const LaunchPlan& plan, char (&to)[512]) noexcept {
  TextBuffer<512> path;
  if (plan.cgroupDirectory != nullptr) {
    path.add(plan.cgroupDirectory).add("/cgroup.procs");
  } else if (plan.cgroupTasksFiles.size > 0) {
    const char* tasks = plan.cgroupTasksFiles[0];
    size_t slash = textLength(tasks);
    while (slash > 0 && tasks[slash - 1] != '/') --slash;
    path.add(TextView(tasks, slash)).add("cgroup.procs");
  }
  if (!path.overflowed()) copyText(to, path.text());
}

constexpr size_t kMaxFailedPayload = sizeof(FailedPayload) + 3 * kMaxErrorText;

/// Appends as much of a text as an error may have.
uint16_t addText(const char* text, uint8_t*& at) noexcept {
  size_t length = textLength(text);
  if (length > kMaxErrorText) length = kMaxErrorText;
  __builtin_memcpy(at, text, length);
  at += length;
  return static_cast<uint16_t>(length);
}

size_t encodeFailure(const SysError& error, uint8_t (&payload)[kMaxFailedPayload]) noexcept {
  FailedPayload header{};
  uint8_t* at = payload + sizeof header;
  header.error = static_cast<uint32_t>(error.number);
  header.stepLength = addText(error.step, at);
  header.syscallLength = addText(error.syscall, at);
  header.pathLength = addText(error.path, at);
  __builtin_memcpy(payload, &header, sizeof header);
  return static_cast<size_t>(at - payload);
}

}  // namespace

Supervisor::Supervisor(UniqueFd&& control, LaunchReport& report) noexcept : report_(report) {
  Result<Client> first = Client::make(static_cast<UniqueFd&&>(control));
  if (!first) sys::exitProcess(1);
  // Greeted with the first news, not now: waking the launcher would cost the launch a processor.
  clients_[0] = static_cast<Client&&>(first.value());
}

Status Supervisor::begin(const LaunchPlan& plan) noexcept {
  Result<UniqueFd> signals = sys::openChildSignals();
  if (!signals) return signals.status();
  childSignals_ = static_cast<UniqueFd&&>(signals.value());
  if (Status s = spawnProgram(plan, report_, program_); !s) return s.during(step::kClone);

  // From here on the child works on its own, and the rest is done beside it.
  Result<UniqueFd> directory =
      sys::openAt(abi::kAtFdCwd, plan.directory, abi::kOpenReadOnly | abi::kOpenDirectory);
  if (!directory) return directory.status().on(plan.directory).during(step::kDirectory);
  directory_ = static_cast<UniqueFd&&>(directory.value());
  Result<Mapping> record = Mapping::ofMemory(sizeof(LogStore::Record), Mapping::Sharing::kPrivate);
  if (!record) return record.status();
  recordMemory_ = static_cast<Mapping&&>(record.value());
  log_ = LogStore(directory_.get(), plan.logMaxFileBytes);

  settings_.terminal = plan.process.terminal.present;
  settings_.closeInputWithOwner = plan.process.stdinKind == StdinKind::kPipeOnce;
  settings_.ownsPidNamespace = plan.namespaces[kPidNamespace].kind == NamespaceKind::kNew;
  settings_.holdsWorld = plan.holdWorld;
  copyCgroupProcs(plan, settings_.cgroupProcs);
  if (settings_.terminal) input_.expect();
  if (program_.input) input_.open(static_cast<UniqueFd&&>(program_.input), false);

  Result<uint64_t> startTicks = readStartTicks(program_.pid);
  if (!startTicks) return startTicks.status().during(step::kClone);
  process_ = {
      .pid = static_cast<uint32_t>(program_.pid), .unused = 0, .startTicks = startTicks.value()};
  if (Status s = writePidFile(directory_.get(), process_); !s) return s.during(step::kDirectory);
  if (Status s = exitFile_.prepare(directory_.get()); !s) return s.during(step::kDirectory);
  if (plan.socketPath != nullptr) {
    Result<UniqueFd> listener = sys::listenAt(plan.socketPath);
    if (!listener) return listener.status().during(step::kSocket);
    listener_ = static_cast<UniqueFd&&>(listener.value());
    copyText(settings_.socketPath, plan.socketPath);
  }
  if (plan.namespaces[kNetworkNamespace].kind != NamespaceKind::kNew) return {};
  return raiseNetwork(program_.pidfd.get(), report_).during(step::kNetwork);
}

void Supervisor::fail(const SysError& error) noexcept {
  state_ = SupervisorState::kFailed;
  if (program_.pid != 0) {
    // The order matters: when the clients hear of it, nothing of the attempt is left.
    if (program_.pidfd) static_cast<void>(sys::signalPidfd(program_.pidfd.get(), kSigKill));
    static_cast<void>(sys::waitFor(program_.pid));
  }
  UniqueFd mountNamespace = static_cast<UniqueFd&&>(program_.mountNamespace);
  program_ = SpawnedProgram{};
  program_.mountNamespace = static_cast<UniqueFd&&>(mountNamespace);

  uint8_t payload[kMaxFailedPayload];
  // What the child met comes first: that it is gone is often why the supervisor failed.
  const size_t size = encodeFailure(report_.failed ? report_.error() : error, payload);
  broadcast(ServerFrame::kFailed, payload, size);
  goAway();
  run();
}

void Supervisor::run() noexcept {
  while (!finished()) pollOnce();
  sys::exitProcess(state_ == SupervisorState::kFailed ? 1 : 0);
}

/// All there was to do is done; what remains is that clients read it and hang up.
void Supervisor::goAway() noexcept {
  listener_.reset();
  if (settings_.socketPath[0] != '\0') {
    static_cast<void>(sys::unlinkAt(abi::kAtFdCwd, settings_.socketPath));
  }
  leaving_ = true;
  if (unmountAside()) return;
  program_.mountNamespace.reset();
  worldReleased();
}

/// Unmounting happens inside the close of the last handle and may take long: an overlay syncs the
/// whole file system below it. A child that shares our descriptors closes it, so that clients who
/// still read are served meanwhile.
bool Supervisor::unmountAside() noexcept {
  if (!program_.mountNamespace) return false;
  Result<int> child = sys::cloneProcess({.flags = CLONE_FILES, .exitSignal = kSigChld});
  if (!child) return false;
  if (child.value() == 0) {
    program_.mountNamespace.reset();
    sys::exitProcess(0);
  }
  program_.mountNamespace.release();
  unmounterPid_ = child.value();
  return true;
}

void Supervisor::worldReleased() noexcept {
  released_ = true;
  hangUpAtNs_ = sys::monotonicNs() + kGraceNs;
  giveUpAtNs_ = sys::monotonicNs() + kLingerNs;
  broadcast(ServerFrame::kReleased, "", 0);
}

bool Supervisor::finished() noexcept {
  if (!released_) return false;
  const uint64_t now = sys::monotonicNs();
  bool anyLeft = false;
  for (Client& client : clients_) {
    if (!client.open()) continue;
    anyLeft = true;
    const bool done = now >= hangUpAtNs_ && (!client.attached || client.logEnded);
    if (done || state_ == SupervisorState::kFailed) client.endSending();
  }
  return !anyLeft || now >= giveUpAtNs_;
}

int Supervisor::pollTimeoutMs() const noexcept {
  if (!released_) return -1;
  const uint64_t now = sys::monotonicNs();
  const uint64_t next = now < hangUpAtNs_ ? hangUpAtNs_ : giveUpAtNs_;
  return now >= next ? 0 : static_cast<int>((next - now) / 1'000'000 + 1);
}

void Supervisor::pollOnce() noexcept {
  abi::PollFd polled[kMaxPollFds];
  size_t count = 0;
  const auto watch = [&](int fd, short events) { polled[count++] = {fd, events, 0}; };
  const bool readOutput = !rotationMustWait();
  // A negative descriptor is passed over by poll(2), so every fixed entry keeps its place.
  watch(program_.sync.get(), abi::kPollIn);
  watch(childSignals_.get(), abi::kPollIn);
  watch(listener_.get(), abi::kPollIn);
  watch(readOutput ? program_.output.get() : -1, abi::kPollIn);
  watch(readOutput ? program_.error.get() : -1, abi::kPollIn);
  watch(input_.wantsToWrite() ? input_.fd() : -1, abi::kPollOut);
  const size_t firstClient = count;
  for (const Client& client : clients_) {
    const short events = client.hasUnsent() ? abi::kPollIn | abi::kPollOut : abi::kPollIn;
    watch(client.socket(), events);
  }
  abi::Timespec timeout{};
  const int timeoutMs = pollTimeoutMs();
  timeout.seconds = timeoutMs / 1000;
  timeout.nanoseconds = int64_t{timeoutMs % 1000} * 1'000'000;
  sys::call(__NR_ppoll, polled, count, timeoutMs < 0 ? nullptr : &timeout, 0, 0);

  // Clients come before output: who attached before the first line must see it, however small the
  // log.
  serveClients(polled + firstClient);
  if (polled[0].revents != 0) hearChild();
  if (polled[3].revents != 0 || polled[4].revents != 0) readOutputs(false);
  if (polled[1].revents != 0) reapChildren();
  if (polled[5].revents != 0) giveCredit(input_.write());
  if (polled[2].revents != 0) acceptClients();
  feedClients();
}

void Supervisor::serveClients(const abi::PollFd* polled) noexcept {
  for (size_t index = 0; index < kMaxClients; ++index) {
    Client& client = clients_[index];
    const short events = polled[index].revents;
    if (events == 0 || !client.open() || client.socket() != polled[index].fd) continue;
    if (events & abi::kPollOut) {
      client.flush();
      giveUpAtNs_ = released_ ? sys::monotonicNs() + kLingerNs : 0;
    }
    if ((events & ~abi::kPollOut) != 0 && !client.receive()) {
      hangUp(client);
      continue;
    }
    IncomingFrame frame;
    Client::Take taken = Client::Take::kNone;
    while (client.open() && (taken = client.takeFrame(frame)) == Client::Take::kFrame) {
      obey(client, frame);
    }
    if (taken == Client::Take::kMalformed) hangUp(client);
    if (!client.open()) hangUp(client);
  }
}

void Supervisor::hangUp(Client& client) noexcept {
  client.close();
  if (inputOwner_ != &client) return;
  inputOwner_ = nullptr;
  if (settings_.closeInputWithOwner) input_.closeAfterwards();
}

void Supervisor::acceptClients() noexcept {
  for (;;) {
    Result<UniqueFd> socket = sys::acceptClient(listener_.get());
    if (!socket) return;
    Result<abi::PeerCredentials> peer = sys::peerCredentials(socket.value().get());
    // The directory of the socket is closed to others; this is the second lock.
    if (!peer || peer.value().uid != 0) continue;
    for (Client& slot : clients_) {
      if (slot.open()) continue;
      Result<Client> client = Client::make(static_cast<UniqueFd&&>(socket.value()));
      if (!client) break;
      slot = static_cast<Client&&>(client.value());
      greet(slot);
      break;
    }
  }
}

void Supervisor::sayHello(Client& client) noexcept {
  const HelloPayload hello{.version = kProtocolVersion,
                           .supervisorPid = static_cast<uint32_t>(sys::currentPid())};
  client.queue(ServerFrame::kHello, 0, &hello, sizeof hello);
  client.greeted = true;
}

void Supervisor::greet(Client& client) noexcept {
  sayHello(client);
  if (state_ == SupervisorState::kCreated) {
    client.send(ServerFrame::kCreated, 0, &process_, sizeof process_);
  }
  if (report_.phases.exec != 0) {
    const StartedPayload started{.process = process_, .phases = report_.phases};
    client.send(ServerFrame::kStarted, 0, &started, sizeof started);
  }
  if (state_ == SupervisorState::kExited) {
    client.send(ServerFrame::kExit, 0, &exit_, sizeof exit_);
  }
  client.flush();
}

void Supervisor::broadcast(ServerFrame type, const void* payload, size_t size) noexcept {
  for (Client& client : clients_) {
    if (!client.open()) continue;
    if (!client.greeted) sayHello(client);
    client.send(type, 0, payload, size);
  }
}

}  // namespace teu
