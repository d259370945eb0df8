// One process that supervises one program: it owns the pipes or the terminal, the log, the exit
// status, and the socket on which clients come and go. Everything happens in one loop over
// ppoll(2); nothing blocks for long and nothing allocates.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "init/client.h"
#include "init/launch_report.h"
#include "init/log_store.h"
#include "init/program_input.h"
#include "init/spawn.h"
#include "init/state_directory.h"
#include "launch/frames.h"
#include "launch/plan.h"
#include "sys/memory.h"
#include "sys/processes.h"

namespace teu {

/// What of the plan is needed after the start, copied so that the plan's memory can go.
struct SupervisorSettings {
  char socketPath[108];
  char cgroupProcs[512];  ///< file that lists the program's processes, or ""
  bool terminal;
  bool closeInputWithOwner;
  bool ownsPidNamespace;
  bool holdsWorld;
};

class Supervisor {
 public:
  Supervisor(UniqueFd&& control, LaunchReport& report) noexcept;

  /// Spawns the program and opens the directory and the socket meanwhile.
  Status begin(const LaunchPlan& plan) noexcept;
  /// Tells the clients why there is no program, and ends.
  [[noreturn]] void fail(const SysError& error) noexcept;
  /// Until the program has ended and everybody has been told.
  [[noreturn]] void run() noexcept;

 private:
  static constexpr size_t kMaxClients = 32;
  static constexpr size_t kMaxPollFds = kMaxClients + 8;

  // --- supervisor.cc: the loop
  void pollOnce() noexcept;
  bool finished() noexcept;
  void goAway() noexcept;
  bool unmountAside() noexcept;
  void worldReleased() noexcept;
  int pollTimeoutMs() const noexcept;
  void serveClients(const abi::PollFd* polled) noexcept;
  void acceptClients() noexcept;
  void greet(Client& client) noexcept;
  void sayHello(Client& client) noexcept;
  void hangUp(Client& client) noexcept;
  void broadcast(ServerFrame type, const void* payload, size_t size) noexcept;

  // --- supervisor_program.cc: what happens to the program
  void hearChild() noexcept;
  void programExecuted() noexcept;
  void takeTerminal(UniqueFd&& master) noexcept;
  void reapChildren() noexcept;
  void programEnded(const sys::ExitStatus& status) noexcept;
  void readOutputs(bool untilEmpty) noexcept;
  bool readOutput(UniqueFd& end, uint8_t stream) noexcept;
  bool rotationMustWait() const noexcept;
  void feedClients() noexcept;
  bool outputsEnded() const noexcept { return !program_.output && !program_.error; }

  // --- supervisor_commands.cc: what clients ask for
  void obey(Client& client, const IncomingFrame& frame) noexcept;
  int obeyStart() noexcept;
  int obeyStartPlanned() noexcept;
  int obeySignal(const IncomingFrame& frame) noexcept;
  int signalAll(int signal) noexcept;
  int obeyResize(const IncomingFrame& frame) noexcept;
  void obeyAttach(Client& client, const IncomingFrame& frame) noexcept;
  void obeyStdinOpen(Client& client, const IncomingFrame& frame) noexcept;
  void obeyStdin(Client& client, const IncomingFrame& frame) noexcept;
  void answerStatus(Client& client, const IncomingFrame& frame) noexcept;
  void giveCredit(uint32_t bytes) noexcept;

  SupervisorSettings settings_{};
  LaunchReport& report_;
  SupervisorState state_ = SupervisorState::kStarting;
  SpawnedProgram program_;
  ProcessPayload process_{};
  ExitPayload exit_{};
  bool leaving_ = false;  ///< all is done but the unmounting and what clients still read
  int unmounterPid_ = 0;
  bool released_ = false;  ///< nothing is mounted any more
  uint64_t hangUpAtNs_ = 0;
  uint64_t giveUpAtNs_ = 0;

  UniqueFd directory_;
  ExitFile exitFile_;
  UniqueFd listener_;
  UniqueFd childSignals_;
  UniqueFd terminal_;
  ResizePayload terminalSize_{};  ///< asked for before there was a terminal
  LogStore log_{-1, 0};
  Mapping recordMemory_;
  ProgramInput input_;
  Client* inputOwner_ = nullptr;
  Client clients_[kMaxClients];
};

}  // namespace teu
