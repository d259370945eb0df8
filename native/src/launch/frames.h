// The conversation between a supervisor and its clients, over the launching socket pair and the
// listening socket alike.
//
//   client                                    supervisor
//     |  <------------------------------ HELLO   |  version, pid; then what has happened so far:
//     |  <---------------- CREATED or STARTED    |  (or FAILED and hang-up)
//     |  START ------------------------------>   |  lets a held program go
//     |  <-------------------- RESULT, STARTED   |
//     |  START_PLANNED ---------------------->   |  the same for a held world: its program is in a
//     |  <-------------------- RESULT, STARTED   |  second plan, the file `program` of the
//     directory |  ATTACH(offset, blocking) ----------->   | |  <----------------- RESULT, LOG, LOG
//     ... |  as fast as this client reads: the file is the buffer |  STDIN_OPEN
//     ------------------------->   | |  <-------------------- RESULT, CREDIT |  bytes that may be
//     sent |  STDIN ... STDIN_CLOSE -------------->   | |
//     <----------------------------- CREDIT   |  as the program reads |  SIGNAL, RESIZE, STATUS
//     ------------->   | |  <--------------- RESULT, STATUS_REPLY   |  with the request's tag |
//     <------------------------------- EXIT   |  the `exit` file is written before this |
//     <---------------------------- LOG_END   |  to the attached: that was all output |
//     <--------------------------- RELEASED   |  mounts and socket are gone |
//     <---------------------------- hang-up   |
//
// Adding: a new type is ignored by old clients and answered with RESULT(ENOSYS) by old supervisors;
// a change of meaning raises kProtocolVersion.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace teu {

inline constexpr uint32_t kProtocolVersion = 1;

/// Little endian, before every payload.
struct FrameHeader {
  uint32_t length;
  uint16_t type;
  uint16_t tag;  ///< 0: wants no answer
};

enum class ClientFrame : uint16_t {
  kStart = 1,
  kSignal = 2,
  kStdinOpen = 3,
  kStdin = 4,
  kStdinClose = 5,
  kResize = 6,
  kAttach = 7,
  kDetach = 8,
  kStatus = 9,
  kStartPlanned = 10,
};

enum class ServerFrame : uint16_t {
  kHello = 64,
  kCreated = 65,
  kStarted = 66,
  kFailed = 67,
  kExit = 68,
  kLog = 69,
  kLogEnd = 70,
  kCredit = 71,
  kResult = 72,
  kStatusReply = 73,
  kReleased = 74,
};

/// The longest payload a client may send (STDIN).
inline constexpr size_t kMaxClientPayload = 16 * 1024;
/// The longest a supervisor sends (LOG: one or more whole records).
inline constexpr size_t kMaxServerPayload = 32 * 1024;
/// Input that the supervisor holds for a program that does not read.
inline constexpr uint32_t kStdinWindow = 64 * 1024;

struct HelloPayload {
  uint32_t version;
  uint32_t supervisorPid;
};

struct ProcessPayload {
  uint32_t pid;
  uint32_t unused;
  uint64_t startTicks;
};

/// When the phases of a launch ended, CLOCK_MONOTONIC ns; 0 = there was no such phase. The order is
/// the wire's.
struct LaunchPhases {
  uint64_t init;
  uint64_t plan;
  uint64_t clone;
  uint64_t joined;
  uint64_t rootfs;
  uint64_t mounts;
  uint64_t masks;
  uint64_t pivot;
  uint64_t seccomp;
  uint64_t exec;
};

struct StartedPayload {
  ProcessPayload process;
  LaunchPhases phases;
};

/// Followed by the texts step, syscall and path, without NUL.
struct FailedPayload {
  uint32_t error;  ///< errno, or 0
  uint16_t stepLength;
  uint16_t syscallLength;
  uint16_t pathLength;
  uint16_t unused;
};

/// Also the content of the `exit` file.
struct ExitPayload {
  uint32_t code;  ///< exit code, or 128 + signal
  uint16_t signal;
  uint16_t flags;
  uint64_t timeNs;  ///< CLOCK_REALTIME
  uint64_t userMicros;
  uint64_t systemMicros;
  uint64_t maxRssBytes;
};
inline constexpr uint16_t kExitFlagCoreDumped = 1;

enum class SupervisorState : uint32_t { kStarting, kCreated, kRunning, kExited, kFailed };

struct StatusPayload {
  uint32_t state;
  uint32_t unused;
  ProcessPayload process;
  uint64_t logStart;
  uint64_t logEnd;
  uint64_t lostBytes;
};

struct SignalPayload {
  uint32_t signal;
  uint32_t all;
};

struct ResizePayload {
  uint32_t rows;
  uint32_t columns;
};

struct AttachPayload {
  uint64_t offset;  ///< kAttachEnd: only what comes now
  uint32_t blocking;
  uint32_t unused;
};
inline constexpr uint64_t kAttachEnd = ~uint64_t{0};

static_assert(sizeof(FrameHeader) == 8 && sizeof(StartedPayload) == 96);
static_assert(sizeof(FailedPayload) == 12 && sizeof(ExitPayload) == 40);
static_assert(sizeof(StatusPayload) == 48 && sizeof(AttachPayload) == 16);

}  // namespace teu
