#include "init/client.h"

#include "sys/sockets.h"

namespace teu {
namespace {
constexpr int kEagain = 11;
}

Result<Client> Client::make(UniqueFd&& socket) noexcept {
  Result<Mapping> memory = Mapping::ofMemory(kOutOffset + kOutCapacity, Mapping::Sharing::kPrivate);
  if (!memory) return memory.status();
  Client client;
  client.socket_ = static_cast<UniqueFd&&>(socket);
  client.memory_ = static_cast<Mapping&&>(memory.value());
  return static_cast<Client&&>(client);
}

void Client::close() noexcept {
  socket_.reset();
  memory_.unmap();
  attached = false;
  inLength_ = inTaken_ = outStart_ = outEnd_ = 0;
}

bool Client::receive() noexcept {
  if (inTaken_ > 0) {
    __builtin_memmove(in(), in() + inTaken_, inLength_ - inTaken_);
    inLength_ -= inTaken_;
    inTaken_ = 0;
  }
  Result<size_t> size = sys::receiveSome(socket_.get(), in() + inLength_, kInCapacity - inLength_);
  if (!size) return size.error().number == kEagain;
  inLength_ += size.value();
  return size.value() > 0;
}

Client::Take Client::takeFrame(IncomingFrame& frame) noexcept {
  const size_t left = inLength_ - inTaken_;
  if (left < sizeof(FrameHeader)) return Take::kNone;
  FrameHeader header;
  __builtin_memcpy(&header, in() + inTaken_, sizeof header);
  if (header.length > kMaxClientPayload) return Take::kMalformed;
  if (left - sizeof header < header.length) return Take::kNone;
  frame = {.type = static_cast<ClientFrame>(header.type),
           .tag = header.tag,
           .payload = in() + inTaken_ + sizeof header,
           .size = header.length};
  inTaken_ += sizeof header + header.length;
  return Take::kFrame;
}

void Client::queue(ServerFrame type, uint16_t tag, const void* payload, size_t size) noexcept {
  if (!open() || sendingEnded_) return;
  if (kOutCapacity - outEnd_ < sizeof(FrameHeader) + size) return close();
  const FrameHeader header{
      .length = static_cast<uint32_t>(size), .type = static_cast<uint16_t>(type), .tag = tag};
  __builtin_memcpy(out() + outEnd_, &header, sizeof header);
  __builtin_memcpy(out() + outEnd_ + sizeof header, payload, size);
  outEnd_ += sizeof header + size;
}

void Client::send(ServerFrame type, uint16_t tag, const void* payload, size_t size) noexcept {
  queue(type, tag, payload, size);
  flush();
}

void Client::sendResult(uint16_t tag, int error) noexcept {
  if (tag == 0) return;
  const uint32_t number = static_cast<uint32_t>(error);
  send(ServerFrame::kResult, tag, &number, sizeof number);
}

void Client::flush() noexcept {
  while (open() && hasUnsent()) {
    Result<size_t> sent = sys::sendSome(socket_.get(), out() + outStart_, outEnd_ - outStart_);
    if (!sent) {
      if (sent.error().number != kEagain) close();
      return;
    }
    outStart_ += sent.value();
  }
  outStart_ = outEnd_ = 0;
}

void Client::endSending() noexcept {
  if (sendingEnded_ || hasUnsent()) return;
  sendingEnded_ = true;
  static_cast<void>(sys::endSending(socket_.get()));
}

void Client::feed(LogStore& log) noexcept {
  while (open() && attached && !hasUnsent() && position < log.end()) {
    uint8_t* payload = out() + sizeof(FrameHeader);
    Result<size_t> size = log.read(position, payload, sizeof(LogStore::Record));
    // The log is unreadable (or was replaced under us): this client gets no more of it.
    if (!size || size.value() == 0) return close();
    const FrameHeader header{.length = static_cast<uint32_t>(size.value()),
                             .type = static_cast<uint16_t>(ServerFrame::kLog),
                             .tag = 0};
    __builtin_memcpy(out(), &header, sizeof header);
    outEnd_ = sizeof header + size.value();
    flush();
  }
}

}  // namespace teu
