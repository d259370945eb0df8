#include "layer/tar_stream.h"

#include <algorithm>

namespace teu::layer {

bool TarStream::fill() {
  if (used_ < chunk_.size()) return true;
  if (!chunk_.empty()) ring_.release(consumer_);
  used_ = 0;
  chunk_ = ring_.next(consumer_);
  return !chunk_.empty();
}

Outcome TarStream::block(const std::uint8_t*& data) {
  data = nullptr;
  if (!fill()) return {};
  // Chunks are a multiple of the block size, so only the last one can hold a part of a block.
  if (chunk_.size() - used_ < kBlockBytes) return refused(code::kBadTar, "the tar is cut off");
  data = chunk_.data() + used_;
  advance(kBlockBytes);
  return {};
}

Outcome TarStream::view(std::uint64_t most, Bytes& data) {
  if (!fill()) return refused(code::kBadTar, "the tar is cut off");
  const std::size_t count = std::min<std::uint64_t>(most, chunk_.size() - used_);
  data = chunk_.subspan(used_, count);
  return {};
}

void TarStream::advance(std::size_t count) {
  used_ += count;
  offset_ += count;
}

Outcome TarStream::skip(std::uint64_t count) {
  while (count > 0) {
    Bytes data;
    if (Outcome viewed = view(count, data); !viewed) return viewed;
    advance(data.size());
    count -= data.size();
  }
  return {};
}

void TarStream::drain() {
  while (fill()) advance(chunk_.size() - used_);
}

}  // namespace teu::layer
