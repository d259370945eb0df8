#pragma once

#include <cstdint>
#include <string>

#include "layer/failure.h"
#include "sys/unique_fd.h"

namespace teu::layer {

/// Tells how much of a blob that somebody else is still writing can be read already. The writer
/// sends, each time more is in the file, the bytes that there are by then: eight bytes,
/// little-endian, never less than before and never more than the blob has. A stream that ends
/// before all is there means that the rest will not come.
class Growth {
 public:
  /// `fd` is the stream; -1 means that all of the blob is there. `length` is that of the whole
  /// blob.
  Growth(int fd, std::uint64_t length);

  /// To be called once, before the system calls are restricted.
  Outcome open();

  /// Waits until the first `wanted` bytes can be read, or all there will be. BROKEN_OFF if they
  /// will not come.
  Outcome waitFor(std::uint64_t wanted);

  /// To be asked where the file has ended: BROKEN_OFF if the writer has said that more is there.
  Outcome checkEnd(std::uint64_t bytes);

  /// How many can be read without waiting.
  std::uint64_t available() const noexcept { return available_; }

  /// Makes a wait in another thread end soon, because nobody needs the bytes any more.
  void stop() noexcept;

 private:
  Outcome takeTotal();
  Outcome breakOff(std::string why);

  const int fd_;
  const std::uint64_t length_;
  std::uint64_t available_;
  std::string brokenOff_;  ///< why no more will come
  UniqueFd stopped_;
};

}  // namespace teu::layer
