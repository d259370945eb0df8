#include "sys/sockets.h"

#include "sys/processes.h"
#include "sys/raw_syscall.h"
#include "sys/text.h"

namespace teu::sys {
namespace {

// <bits/socket.h> and <linux/if.h> clash in hosted builds; these never change.
constexpr int kFamilyUnix = 1;
constexpr int kFamilyInet = 2;
constexpr int kTypeStream = 1;
constexpr int kTypeDatagram = 2;
constexpr int kTypeSequencedPacket = 5;
constexpr int kCloseOnExec = abi::kOpenCloseOnExec;
constexpr int kNonBlocking = abi::kOpenNonBlocking;
constexpr int kLevelSocket = 1;
constexpr int kPeerCredentials = 17;
constexpr int kRightsMessage = 1;
constexpr int kNoSignal = 0x4000;
constexpr int kDontWait = 0x40;
constexpr int kMessageCloseOnExec = 0x40000000;
constexpr int kBacklog = 16;
constexpr unsigned kGetInterfaceFlags = 0x8913;
constexpr unsigned kSetInterfaceFlags = 0x8914;
constexpr short kInterfaceUp = 1;
constexpr int kEintr = 4;
constexpr int kEnametoolong = 36;

struct InterfaceFlagsRequest {
  char name[16];
  short flags;
  char unused[22];
};

Result<size_t> sizeOf(long answer, const char* syscall) noexcept {
  if (answer < 0) return statusOf(answer, syscall);
  return static_cast<size_t>(answer);
}

}  // namespace

Status makeMessagePair(UniqueFd& left, UniqueFd& right) noexcept {
  int ends[2] = {-1, -1};
  const long answer =
      call(__NR_socketpair, kFamilyUnix, kTypeSequencedPacket | kCloseOnExec, 0, ends);
  if (answer < 0) return statusOf(answer, "socketpair");
  left.reset(ends[0]);
  right.reset(ends[1]);
  return {};
}

Result<UniqueFd> listenAt(const char* path) noexcept {
  abi::UnixAddress address{.family = kFamilyUnix, .path = {}};
  const size_t length = textLength(path);
  if (length >= sizeof address.path) return brokenRule(kEnametoolong, "bind").on(path);
  for (size_t at = 0; at < length; ++at) address.path[at] = path[at];

  Result<UniqueFd> listener =
      fdOf(call(__NR_socket, kFamilyUnix, kTypeStream | kCloseOnExec | kNonBlocking, 0), "socket");
  if (!listener) return listener;
  // The mode of a socket file is what the mask leaves at bind time; changing it afterwards would
  // leave a gap.
  const long previousMask = call(__NR_umask, 0177);
  const long bound = call(__NR_bind, listener.value().get(), &address, sizeof address);
  call(__NR_umask, previousMask);
  if (bound < 0) return statusOf(bound, "bind").on(path);
  const long listening = call(__NR_listen, listener.value().get(), kBacklog);
  if (listening < 0) return statusOf(listening, "listen").on(path);
  return listener;
}

Result<UniqueFd> acceptClient(int listener) noexcept {
  return fdOf(call(__NR_accept4, listener, 0, 0, kCloseOnExec | kNonBlocking), "accept4");
}

Result<abi::PeerCredentials> peerCredentials(int socket) noexcept {
  abi::PeerCredentials peer{};
  unsigned length = sizeof peer;
  const long answer = call(__NR_getsockopt, socket, kLevelSocket, kPeerCredentials, &peer, &length);
  if (answer < 0) return statusOf(answer, "getsockopt");
  return static_cast<abi::PeerCredentials&&>(peer);
}

Result<size_t> sendSome(int socket, const void* data, size_t size) noexcept {
  return sizeOf(call(__NR_sendto, socket, data, size, kNoSignal | kDontWait, 0, 0), "sendto");
}

Result<size_t> receiveSome(int socket, void* buffer, size_t size) noexcept {
  return sizeOf(call(__NR_recvfrom, socket, buffer, size, kDontWait, 0, 0), "recvfrom");
}

Status endSending(int socket) noexcept {
  constexpr int kWriting = 1;
  return statusOf(call(__NR_shutdown, socket, kWriting), "shutdown");
}

Status sendMessage(int socket, char message, int fd) noexcept {
  abi::IoVec part{.base = &message, .length = 1};
  abi::FdControlMessage control{.length = offsetof(abi::FdControlMessage, fd) + sizeof(int),
                                .level = kLevelSocket,
                                .type = kRightsMessage,
                                .fd = fd};
  abi::MessageHeader header{};
  header.parts = &part;
  header.partCount = 1;
  if (fd >= 0) {
    header.control = &control;
    header.controlLength = sizeof control;
  }
  return statusOf(call(__NR_sendmsg, socket, &header, kNoSignal), "sendmsg");
}

Result<ReceivedMessage> receiveMessage(int socket) noexcept {
  ReceivedMessage received;
  abi::IoVec part{.base = &received.message, .length = 1};
  abi::FdControlMessage control{};
  abi::MessageHeader header{};
  header.parts = &part;
  header.partCount = 1;
  header.control = &control;
  header.controlLength = sizeof control;
  long answer = -kEintr;
  while (answer == -kEintr) answer = call(__NR_recvmsg, socket, &header, kMessageCloseOnExec);
  if (answer < 0) return statusOf(answer, "recvmsg");
  received.ended = answer == 0;
  if (header.controlLength >= offsetof(abi::FdControlMessage, fd) + sizeof(int) &&
      control.type == kRightsMessage) {
    received.fd.reset(control.fd);
  }
  return static_cast<ReceivedMessage&&>(received);
}

Status raiseLoopback() noexcept {
  Result<UniqueFd> socket =
      fdOf(call(__NR_socket, kFamilyInet, kTypeDatagram | kCloseOnExec, 0), "socket");
  if (!socket) return socket.status();
  InterfaceFlagsRequest request{.name = "lo", .flags = 0, .unused = {}};
  const long asked = call(__NR_ioctl, socket.value().get(), kGetInterfaceFlags, &request);
  if (asked < 0) return statusOf(asked, "ioctl").on("lo");
  request.flags = static_cast<short>(request.flags | kInterfaceUp);
  return statusOf(call(__NR_ioctl, socket.value().get(), kSetInterfaceFlags, &request), "ioctl")
      .on("lo");
}

}  // namespace teu::sys
