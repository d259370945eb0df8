#include "init/log_store.h"

#include "sys/clock.h"
#include "sys/files.h"

namespace teu {
namespace {

constexpr int kEio = 5;
constexpr int kEbadmsg = 74;
constexpr unsigned kFileMode = 0600;
constexpr const char* kCurrentName = "log";
constexpr const char* kPreviousName = "log.1";

uint64_t filePosition(uint64_t offset, uint64_t first) noexcept {
  return sizeof(LogFileHeader) + (offset - first);
}

LogRecordHeader headerAt(const uint8_t* bytes) noexcept {
  LogRecordHeader header;
  __builtin_memcpy(&header, bytes, sizeof header);
  return header;
}

/// The size of the whole records at the front of `bytes`; 0 with `size` > 0 means that they are not
/// records.
size_t wholeRecords(const uint8_t* bytes, size_t size, uint64_t offset) noexcept {
  size_t whole = 0;
  while (size - whole >= sizeof(LogRecordHeader)) {
    const LogRecordHeader header = headerAt(bytes + whole);
    if (!isLogRecordAt(header, offset + whole)) break;
    const size_t length = sizeof header + header.length;
    if (length > size - whole) break;
    whole += length;
  }
  return whole;
}

}  // namespace

bool LogStore::rotationIsNear() const noexcept {
  return currentSize() + sizeof(Record) > maxFileBytes_;
}

void LogStore::append(Record& record, size_t length, uint8_t stream) noexcept {
  record.header = {.offset = end_,
                   .timeNs = sys::wallClockNs(),
                   .length = static_cast<uint32_t>(length),
                   .stream = stream,
                   .flags = gap_ ? kLogFlagGap : uint8_t{0},
                   .magic = kLogRecordMagic};
  const size_t size = sizeof record.header + length;
  Status ready;
  if (!current_) {
    ready = openCurrent();
  } else if (currentSize() + size > maxFileBytes_) {
    ready = rotate();
  }
  if (ready) ready = write(record, size);
  if (ready) {
    end_ += size;
    gap_ = false;
  } else {
    lostBytes_ += length;
    gap_ = true;
  }
}

Status LogStore::openCurrent() noexcept {
  constexpr int kFlags = abi::kOpenReadWrite | abi::kOpenCreate | abi::kOpenTruncate;
  Result<UniqueFd> file = sys::openAt(directory_, kCurrentName, kFlags, kFileMode);
  if (!file) return file.status();
  LogFileHeader header{.magic = {}, .first = end_};
  __builtin_memcpy(header.magic, kLogMagic, sizeof header.magic);
  if (Status s = sys::writeAll(file.value().get(), &header, sizeof header); !s) return s;
  current_ = static_cast<UniqueFd&&>(file.value());
  currentFirst_ = end_;
  return {};
}

Status LogStore::rotate() noexcept {
  if (Status s = sys::renameAt(directory_, kCurrentName, kPreviousName); !s) return s;
  previous_ = static_cast<UniqueFd&&>(current_);
  previousFirst_ = currentFirst_;
  currentFirst_ = end_;
  return openCurrent();
}

Status LogStore::write(const Record& record, size_t size) noexcept {
  Result<size_t> written = sys::writeSome(current_.get(), &record, size);
  if (written && written.value() == size) return {};
  // Half a record would end the log for every reader: take it back.
  const uint64_t position = filePosition(end_, currentFirst_);
  if (Status s = sys::truncate(current_.get(), position); !s) return s;
  constexpr int kFromStart = 0;
  sys::call(__NR_lseek, current_.get(), position, kFromStart);
  return written ? brokenRule(kEio, "write") : written.status();
}

Result<size_t> LogStore::read(uint64_t& position, uint8_t* buffer, size_t capacity) noexcept {
  bool skipped = false;
  if (position < start()) {
    position = start();
    skipped = true;
  }
  if (position >= end_) return size_t{0};
  const bool inCurrent = position >= currentFirst_;
  const int file = inCurrent ? current_.get() : previous_.get();
  const uint64_t first = inCurrent ? currentFirst_ : previousFirst_;
  Result<size_t> size = sys::readAt(file, buffer, capacity, filePosition(position, first));
  if (!size) return size;
  size_t whole = wholeRecords(buffer, size.value(), position);
  if (whole == 0) return brokenRule(kEbadmsg, "log record");
  if (skipped) {
    buffer[offsetof(LogRecordHeader, flags)] |= kLogFlagGap;
  }
  position += whole;
  return static_cast<size_t&&>(whole);
}

}  // namespace teu
