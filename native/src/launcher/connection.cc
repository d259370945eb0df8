#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstring>

#include "byte_buffer.h"
#include "terminal.h"

namespace teu::launcher {

namespace {

// Whether the process at the other end is root's or our own.
bool peerIsTrusted(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return false;
  }
  return peer.uid == 0 || peer.uid == geteuid();
}

}  // namespace

int connectResident(const char* runDirectory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const int length =
      snprintf(address.sun_path, sizeof address.sun_path, "%s/cli.sock", runDirectory);
  if (length < 0 || static_cast<size_t>(length) >= sizeof address.sun_path) {
    return -ENAMETOOLONG;
  }
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    return -errno;
  }
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int failure = errno;
    close(descriptor);
    return -failure;
  }
  if (!peerIsTrusted(descriptor)) {
    close(descriptor);
    return -EACCES;
  }
  return descriptor;
}

bool sendFrame(int socket, FrameType type, const void* payload, size_t size) {
  uint8_t header[kHeaderBytes] = {
      static_cast<uint8_t>(size),       static_cast<uint8_t>(size >> 8),
      static_cast<uint8_t>(size >> 16), static_cast<uint8_t>(size >> 24),
      static_cast<uint8_t>(type),
  };
  iovec parts[2] = {{header, sizeof header}, {const_cast<void*>(payload), size}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  size_t left = sizeof header + size;
  while (left > 0) {
    ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) {
        continue;
      }
      return false;
    }
    left -= static_cast<size_t>(sent);
    for (iovec& part : parts) {
      const size_t used =
          static_cast<size_t>(sent) < part.iov_len ? static_cast<size_t>(sent) : part.iov_len;
      part.iov_base = static_cast<uint8_t*>(part.iov_base) + used;
      part.iov_len -= used;
      sent -= static_cast<ssize_t>(used);
    }
  }
  return true;
}

bool sendHello(int socket, char** argv, char** environment) {
  uint16_t flags = 0;
  flags |= isatty(STDIN_FILENO) != 0 ? kStdinIsTerminal : 0;
  flags |= isatty(STDOUT_FILENO) != 0 ? kStdoutIsTerminal : 0;
  flags |= isatty(STDERR_FILENO) != 0 ? kStderrIsTerminal : 0;
  const TerminalSize size = terminalSize();

  char directory[PATH_MAX];
  if (getcwd(directory, sizeof directory) == nullptr) {
    directory[0] = '/';
    directory[1] = '\0';
  }

  ByteBuffer hello;
  hello.appendU16(kProtocolVersion);
  hello.appendU16(flags);
  hello.appendU16(size.rows);
  hello.appendU16(size.columns);
  hello.appendString(directory);
  hello.appendStrings(argv + (argv[0] != nullptr ? 1 : 0));
  hello.appendStrings(environment);
  return sendFrame(socket, FrameType::kHello, hello.data(), hello.size());
}

}  // namespace teu::launcher
