#pragma once

#include <cstdint>
#include <span>

#include "pack/options.h"

namespace teu::pack {

/// Where the archive goes.
class Output {
 public:
  explicit Output(const Options& options) noexcept : options_(options) {}

  /// Of a file: @return ENOSPC if its disk has no room for it. Reserving it (fallocate) would make
  /// writing slower.
  Outcome requireRoom() const;
  Outcome write(std::span<const std::uint8_t> bytes);
  /// Of a file: when this returns it is on the disk. @return USAGE if it is not as large as was
  /// said
  Outcome finish();

  std::uint64_t written() const noexcept { return written_; }

 private:
  void startWriteBack();
  void tellProgress();

  const Options& options_;
  std::uint64_t written_ = 0;
  std::uint64_t sent_ = 0;  ///< to the disk
  std::uint64_t told_ = 0;  ///< as progress
};

}  // namespace teu::pack
