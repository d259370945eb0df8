#include "produce/ring_output.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "layer/json_line.h"

namespace teu::produce {

RingOutput::RingOutput(layer::ChunkRing& ring, const Options& options)
    : ring_(ring),
      limit_(options.limits.bytes),
      stride_(options.progressBytes),
      nextProgress_(options.progressBytes) {}

Outcome RingOutput::space(std::uint64_t wanted, std::span<std::uint8_t>& piece) {
  if (chunk_ == nullptr) chunk_ = ring_.acquire();
  if (chunk_ == nullptr) return refused(code::kStopped, "what takes the tar has stopped");
  const std::uint64_t left = ring_.chunkBytes() - used_;
  piece = {chunk_ + used_, static_cast<std::size_t>(std::min(left, wanted))};
  return {};
}

Outcome RingOutput::filled(std::size_t size) {
  used_ += size;
  bytes_ += size;
  if (bytes_ > limit_) {
    return refused(layer::code::kLimit,
                   "the tar is larger than " + std::to_string(limit_) + " bytes");
  }
  if (used_ == ring_.chunkBytes()) {
    ring_.publish(used_);
    chunk_ = nullptr;
    used_ = 0;
    tellProgress();
  }
  return {};
}

Outcome RingOutput::add(std::string_view bytes) {
  while (!bytes.empty()) {
    std::span<std::uint8_t> piece;
    if (Outcome found = space(bytes.size(), piece); !found) return found;
    std::memcpy(piece.data(), bytes.data(), piece.size());
    if (Outcome taken = filled(piece.size()); !taken) return taken;
    bytes.remove_prefix(piece.size());
  }
  return {};
}

Outcome RingOutput::addZeros(std::uint64_t count) {
  while (count > 0) {
    std::span<std::uint8_t> piece;
    if (Outcome found = space(count, piece); !found) return found;
    std::memset(piece.data(), 0, piece.size());
    if (Outcome taken = filled(piece.size()); !taken) return taken;
    count -= piece.size();
  }
  return {};
}

void RingOutput::finish() {
  if (used_ > 0) ring_.publish(used_);
  used_ = 0;
  ring_.finish();
}

/// That nobody reads it is no failure.
void RingOutput::tellProgress() {
  if (stride_ == 0 || bytes_ < nextProgress_) return;
  nextProgress_ = bytes_ + stride_;
  const std::string line = layer::JsonLine().add("progress", bytes_).finish();
  (void)!write(STDOUT_FILENO, line.data(), line.size());
}

}  // namespace teu::produce
