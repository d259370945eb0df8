#pragma once

#include <stddef.h>
#include <stdint.h>

#include "launch/frames.h"
#include "sys/memory.h"
#include "sys/unique_fd.h"

namespace teu {

/// What clients send to the program: a window's worth is held until the program reads it.
class ProgramInput {
 public:
  /// There will be an end, so input may be sent already.
  void expect() noexcept { expected_ = true; }
  /// A pipe's write end, or a terminal's master (owned elsewhere, so a duplicate).
  void open(UniqueFd&& end, bool isTerminal) noexcept;

  bool isOpen() const noexcept { return expected_ || end_; }
  int fd() const noexcept { return end_.get(); }
  bool wantsToWrite() const noexcept { return end_ && (length_ > taken_ || closing_); }

  /// False: more than the window, so the client ignores its credit; nothing was taken.
  bool push(const uint8_t* bytes, size_t size) noexcept;
  /// End of input after what is held has been written.
  void closeAfterwards() noexcept { closing_ = true; }
  void close() noexcept {
    end_.reset();
    expected_ = false;
  }

  /// Writes what the program takes now; the number of bytes is the credit to give back.
  uint32_t write() noexcept;
  uint32_t room() const noexcept { return kStdinWindow - static_cast<uint32_t>(length_ - taken_); }

 private:
  void finish() noexcept;

  UniqueFd end_;
  bool expected_ = false;
  bool isTerminal_ = false;
  bool closing_ = false;
  Mapping window_;
  size_t taken_ = 0;
  size_t length_ = 0;
};

}  // namespace teu
