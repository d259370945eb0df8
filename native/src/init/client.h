// One client's socket with its two small buffers.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "init/log_store.h"
#include "launch/frames.h"
#include "sys/memory.h"
#include "sys/unique_fd.h"

namespace teu {

/// A frame as it came in; `payload` lives until the next call of Client::takeFrame.
struct IncomingFrame {
  ClientFrame type;
  uint16_t tag = 0;
  const uint8_t* payload = nullptr;
  size_t size = 0;
};

class Client {
 public:
  static Result<Client> make(UniqueFd&& socket) noexcept;
  Client() noexcept = default;

  bool open() const noexcept { return static_cast<bool>(socket_); }
  int socket() const noexcept { return socket_.get(); }
  void close() noexcept;

  /// Reads what is there. False: the client has hung up.
  bool receive() noexcept;
  enum class Take { kFrame, kNone, kMalformed };
  Take takeFrame(IncomingFrame& frame) noexcept;

  /// Queues a frame to go out with the next one that is sent.
  void queue(ServerFrame type, uint16_t tag, const void* payload, size_t size) noexcept;
  /// Queues a frame and tries to send. A client that lets its small answers pile up is hung up on.
  void send(ServerFrame type, uint16_t tag, const void* payload, size_t size) noexcept;
  void sendResult(uint16_t tag, int error) noexcept;
  void flush() noexcept;
  bool hasUnsent() const noexcept { return outEnd_ != outStart_; }

  /// After the last frame: says so to the client, which then hangs up.
  void endSending() noexcept;

  /// Sends log records as long as the socket takes them.
  void feed(LogStore& log) noexcept;

  bool greeted = false;
  bool attached = false;
  bool blocking = false;  ///< rotation waits for it
  bool logEnded = false;  ///< LOG_END was sent
  uint64_t position = 0;  ///< of the next log record to send

 private:
  static constexpr size_t kInCapacity = sizeof(FrameHeader) + kMaxClientPayload;
  static constexpr size_t kAnswerRoom = 8 * 1024;
  static constexpr size_t kLogRoom = sizeof(FrameHeader) + sizeof(LogStore::Record);
  static constexpr size_t kOutCapacity = kLogRoom + kAnswerRoom;

  uint8_t* in() const noexcept { return memory_.data(); }
  uint8_t* out() const noexcept { return memory_.data() + kOutOffset; }
  static constexpr size_t kOutOffset = (kInCapacity + 4095) & ~size_t{4095};

  UniqueFd socket_;
  bool sendingEnded_ = false;
  Mapping memory_;
  size_t inLength_ = 0;
  size_t inTaken_ = 0;
  size_t outStart_ = 0;
  size_t outEnd_ = 0;
};

}  // namespace teu
