// The program's output on disk: appended here, read back from here for every client. Nothing is
// buffered in between, so a client that does not read costs a file position and no memory.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "launch/log_format.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu {

class LogStore {
 public:
  /// `directory` stays the caller's. No file is made before the first output.
  LogStore(int directory, uint64_t maxFileBytes) noexcept
      : directory_(directory), maxFileBytes_(maxFileBytes) {}

  /// Room for a record: its header, then kLogMaxData bytes that the caller reads output into.
  struct Record {
    LogRecordHeader header;
    uint8_t data[kLogMaxData];
  };

  /// Appends `length` bytes of `record.data`, rotating first if they no longer fit. What cannot be
  /// written (disk full) is dropped and counted, and the next record carries kLogFlagGap: a full
  /// disk must not stop the program.
  void append(Record& record, size_t length, uint8_t stream) noexcept;

  /// The next append may push the older file out.
  bool rotationIsNear() const noexcept;

  uint64_t start() const noexcept { return previous_ ? previousFirst_ : currentFirst_; }
  uint64_t end() const noexcept { return end_; }
  /// Records before this are lost at the next rotation.
  uint64_t currentFirst() const noexcept { return currentFirst_; }
  uint64_t lostBytes() const noexcept { return lostBytes_; }

  /// Copies whole records from `position` on into `buffer` (at least sizeof(Record)) and moves
  /// `position` behind them. A position that rotation has passed is moved to the oldest record,
  /// which then carries kLogFlagGap. 0: none there.
  Result<size_t> read(uint64_t& position, uint8_t* buffer, size_t capacity) noexcept;

 private:
  Status openCurrent() noexcept;
  Status rotate() noexcept;
  Status write(const Record& record, size_t size) noexcept;
  uint64_t currentSize() const noexcept { return end_ - currentFirst_; }

  int directory_;
  uint64_t maxFileBytes_;
  UniqueFd current_;
  UniqueFd previous_;
  uint64_t previousFirst_ = 0;
  uint64_t currentFirst_ = 0;
  uint64_t end_ = 0;
  uint64_t lostBytes_ = 0;
  bool gap_ = false;
};

}  // namespace teu
