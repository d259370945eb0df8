#include "layer/growth.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace teu::layer {
namespace {

constexpr std::size_t kTotalBytes = 8;

std::uint64_t littleEndian(const std::uint8_t* bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t at = kTotalBytes; at > 0; --at) value = value << 8 | bytes[at - 1];
  return value;
}

}  // namespace

Growth::Growth(int fd, std::uint64_t length)
    : fd_(fd), length_(length), available_(fd < 0 ? length : 0) {}

Outcome Growth::open() {
  if (fd_ < 0) return {};
  stopped_.reset(eventfd(0, EFD_CLOEXEC));
  return stopped_ ? Outcome{} : sysFailure("eventfd", "follow the blob", errno);
}

Outcome Growth::waitFor(std::uint64_t wanted) {
  wanted = std::min(wanted, length_);
  while (available_ < wanted) {
    if (!brokenOff_.empty()) return refused(code::kBrokenOff, brokenOff_);
    pollfd ends[2] = {{fd_, POLLIN, 0}, {stopped_.get(), POLLIN, 0}};
    if (ppoll(ends, 2, nullptr, nullptr) < 0) {
      if (errno == EINTR) continue;
      return sysFailure("ppoll", "follow the blob", errno);
    }
    if (ends[1].revents != 0) return breakOff("nobody needs the blob any more");
    if (Outcome taken = takeTotal(); !taken) return taken;
  }
  return {};
}

/// One total, which may arrive in pieces.
Outcome Growth::takeTotal() {
  std::uint8_t bytes[kTotalBytes];
  for (std::size_t got = 0; got < kTotalBytes;) {
    const ssize_t count = read(fd_, bytes + got, kTotalBytes - got);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return sysFailure("read", "follow the blob", errno);
    if (count == 0) {
      return breakOff("the blob was broken off after " + std::to_string(available_) + " of " +
                      std::to_string(length_) + " bytes");
    }
    got += static_cast<std::size_t>(count);
  }
  const std::uint64_t total = littleEndian(bytes);
  if (total < available_ || total > length_) {
    return breakOff("the blob is said to have " + std::to_string(total) + " bytes, after " +
                    std::to_string(available_) + " of " + std::to_string(length_));
  }
  available_ = total;
  return {};
}

Outcome Growth::breakOff(std::string why) {
  brokenOff_ = std::move(why);
  return refused(code::kBrokenOff, brokenOff_);
}

Outcome Growth::checkEnd(std::uint64_t bytes) {
  if (fd_ < 0) return {};
  return breakOff("the blob has " + std::to_string(bytes) + " bytes, and is said to have " +
                  std::to_string(available_));
}

void Growth::stop() noexcept {
  const std::uint64_t one = 1;
  if (stopped_) (void)!write(stopped_.get(), &one, sizeof one);
}

}  // namespace teu::layer
