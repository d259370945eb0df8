#include "watch/kmsg_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "sys/files.h"

namespace teu::watch {
namespace {

/// Above what the kernel makes of a record (PRINTKRB_RECORD_MAX, escaped, and its dictionary); it
/// refuses a buffer that is too small.
constexpr std::size_t kRecordBytes = 16384;

/// Device number of /dev/kmsg (kernel: Documentation/admin-guide/devices.txt).
constexpr unsigned kMemoryMajor = 1;
constexpr unsigned kLogMinor = 11;

}  // namespace

Result<KmsgReader> KmsgReader::open(std::uint64_t from) {
  Result<UniqueFd> opened = sys::openAt(AT_FDCWD, "/dev/kmsg", O_RDONLY | O_NONBLOCK);
  if (!opened) return opened.status().on("/dev/kmsg");
  // In a container it may be anything else.
  Result<sys::FileInfo> device = sys::fileInfo(opened.value().get());
  if (!device) return device.status().on("/dev/kmsg");
  const bool isLog =
      device.value().deviceMajor == kMemoryMajor && device.value().deviceMinor == kLogMinor;
  if (!isLog) return brokenRule(ENODEV, "not the kernel's log");
  KmsgReader reader(std::move(opened.value()), from);
  if (from > 0) {
    // What was overwritten meanwhile counts as lost.
    reader.last_ = from - 1;
    return reader;
  }
  // From the oldest on, because that way the number of the newest is known.
  Result<std::uint64_t> passed = reader.drain([](const KmsgRecord&) {});
  if (!passed) return passed.status().on("/dev/kmsg");
  return reader;
}

Result<std::uint64_t> KmsgReader::drain(const std::function<void(const KmsgRecord&)>& take) {
  std::array<char, kRecordBytes> buffer;
  std::uint64_t lost = 0;
  for (;;) {
    Result<size_t> got = sys::readSome(fd_.get(), buffer.data(), buffer.size());
    if (!got && got.error().number == EAGAIN) return lost;
    // Overwritten: the next read gives the oldest that is left, and its number tells how many are
    // gone.
    if (!got && (got.error().number == EPIPE || got.error().number == EINVAL)) continue;
    if (!got) return got.status();
    if (got.value() == 0) return lost;
    const auto record = parseKmsgRecord({buffer.data(), got.value()});
    if (!record) continue;
    if (last_ != 0 && record->sequence > last_ + 1) lost += record->sequence - last_ - 1;
    last_ = std::max(last_, record->sequence);
    if (record->sequence >= from_) take(*record);
  }
}

}  // namespace teu::watch
