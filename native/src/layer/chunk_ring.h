#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace teu::layer {

using Bytes = std::span<const std::uint8_t>;

/// Hands the chunks of one stream from one producer to several consumers, each of which sees every
/// chunk. The producer waits for the slowest, so memory is bounded by slots x chunk size.
class ChunkRing {
 public:
  ChunkRing(std::size_t slots, std::size_t chunkBytes, std::size_t consumers);

  std::size_t chunkBytes() const noexcept { return chunkBytes_; }

  /// Buffer of chunkBytes() to fill; nullptr once a consumer has given up.
  std::uint8_t* acquire();
  /// Makes the acquired buffer visible. Every chunk but the last is full.
  void publish(std::size_t size);
  /// No more chunks will come.
  void finish();

  /// Next chunk of this consumer; empty at the end of the stream and after abort().
  Bytes next(std::size_t consumer);
  /// Gives back what next() returned.
  void release(std::size_t consumer);

  /// Makes all others stop soon: something failed. False if something else did before.
  bool abort();

 private:
  std::uint64_t slowest() const noexcept;

  const std::size_t chunkBytes_;
  std::vector<std::vector<std::uint8_t>> slots_;
  std::vector<std::size_t> sizes_;
  std::vector<std::uint64_t> tails_;
  std::uint64_t head_ = 0;
  bool finished_ = false;
  bool aborted_ = false;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable freed_;
};

}  // namespace teu::layer
