#pragma once

#include <cstdint>
#include <functional>

#include "sys/result.h"
#include "sys/unique_fd.h"
#include "watch/kmsg_record.h"

namespace teu::watch {

/// Reads the kernel's log from /dev/kmsg, without waiting.
class KmsgReader {
 public:
  /// @param from is the first record wanted; 0 for what comes from now on. All before it counts as
  /// read.
  static Result<KmsgReader> open(std::uint64_t from);

  KmsgReader() noexcept = default;

  int fd() const noexcept { return fd_.get(); }
  /// Number of the record that was read last; 0 for none.
  std::uint64_t lastSequence() const noexcept { return last_; }

  /// Hands over what is there, until there is no more.
  ///
  /// @return number of records that were overwritten before they were read
  Result<std::uint64_t> drain(const std::function<void(const KmsgRecord&)>& take);

 private:
  KmsgReader(UniqueFd fd, std::uint64_t from) noexcept
      : fd_(static_cast<UniqueFd&&>(fd)), from_(from) {}

  UniqueFd fd_{};
  std::uint64_t from_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace teu::watch
