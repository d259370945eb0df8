// Unix sockets, and passing descriptors over them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sys/kernel_abi.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu::sys {

/// A connected pair that keeps message boundaries.
Status makeMessagePair(UniqueFd& left, UniqueFd& right) noexcept;
/// A non-blocking listening stream socket at a host path, mode 0600.
Result<UniqueFd> listenAt(const char* path) noexcept;
Result<UniqueFd> acceptClient(int listener) noexcept;
Result<abi::PeerCredentials> peerCredentials(int socket) noexcept;
/// Never raises SIGPIPE and never blocks.
Result<size_t> sendSome(int socket, const void* data, size_t size) noexcept;
/// Nothing more will be sent; what was sent can still be read, which a close with unread requests
/// would prevent.
Status endSending(int socket) noexcept;
Result<size_t> receiveSome(int socket, void* buffer, size_t size) noexcept;

/// One byte with, optionally, one descriptor (-1: none).
Status sendMessage(int socket, char message, int fd) noexcept;
struct ReceivedMessage {
  bool ended = false;
  char message = 0;
  UniqueFd fd;
};
/// Blocks. `ended`: the other side has closed.
Result<ReceivedMessage> receiveMessage(int socket) noexcept;

/// Brings the loopback interface of the current network namespace up.
Status raiseLoopback() noexcept;

}  // namespace teu::sys
