#include "layer/pipeline.h"

#include <unistd.h>

#include <latch>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "layer/blob_source.h"
#include "layer/decoder.h"
#include "layer/growth.h"
#include "layer/json_line.h"

namespace teu::layer {
namespace {

constexpr std::size_t kChunkBytes = 1 << 20;
constexpr std::size_t kSlots = 8;
constexpr std::size_t kSinkConsumer = 0;
constexpr std::size_t kHashConsumer = 1;
constexpr std::size_t kConsumers = 2;
constexpr std::size_t kPackedSlots = 4;

Outcome checkSize(const Limits& limits, std::uint64_t tarBytes, std::uint64_t blobBytes) {
  if (tarBytes > limits.bytes) {
    return refused(code::kLimit,
                   "the layer is larger than " + std::to_string(limits.bytes) + " bytes");
  }
  if (tarBytes > limits.ratioFloor && tarBytes / limits.ratio > blobBytes) {
    return refused(code::kLimit,
                   "the layer expands more than " + std::to_string(limits.ratio) + " times");
  }
  return {};
}

/// Tells the service how far it is; that nobody reads it is no failure.
class Progress {
 public:
  explicit Progress(std::uint64_t stride) : stride_(stride), next_(stride) {}

  void at(std::uint64_t bytes) {
    if (stride_ == 0 || bytes < next_) return;
    next_ = bytes + stride_;
    const std::string line = JsonLine().add("progress", bytes).finish();
    (void)!write(STDOUT_FILENO, line.data(), line.size());
  }

 private:
  const std::uint64_t stride_;
  std::uint64_t next_;
};

/// What runs beside each other, and how all of it ends when one part fails.
class Pipeline {
 public:
  Pipeline(const Options& options, Growth& growth, Compression compression)
      : options_(options),
        growth_(growth),
        isPlain_(compression == Compression::kNone),
        compression_(compression),
        // An uncompressed blob and its tar are the same bytes: one digest serves for both.
        source_(options.blobFd, options.blobOffset, options.blobLength, growth, options.copyFd,
                !isPlain_),
        tar_(kSlots, kChunkBytes, kConsumers),
        packed_(isPlain_ ? 0 : kPackedSlots, kChunkBytes, 1) {}

  Outcome run(const std::function<Outcome()>& ready, const Sink& sink, BlobFacts& facts) {
    std::latch started(1);
    bool go = false;
    std::vector<std::thread> threads;
    const auto start = [&](auto work) {
      threads.emplace_back([this, &started, &go, work] {
        started.wait();
        if (go) fail(work());
      });
    };
    start([this] { return isPlain_ ? readPlain() : readPacked(); });
    if (!isPlain_) start([this] { return decode(); });
    start([this] { return hash(); });
    Outcome consumed = ready();
    go = static_cast<bool>(consumed);
    started.count_down();
    if (go) consumed = sink(tar_);
    fail(std::move(consumed));
    for (std::thread& thread : threads) thread.join();
    if (!failure_) return std::move(failure_);
    facts.compression = compression_;
    facts.diffId = diffId_;
    facts.tarBytes = tarBytes_;
    facts.blobBytes = source_.bytesRead();
    facts.digest = isPlain_ ? diffId_ : source_.finishDigest();
    return {};
  }

 private:
  /// Whoever fails first has all others stop: what those then say is no cause.
  void fail(Outcome outcome) {
    if (outcome) return;
    {
      std::lock_guard lock(mutex_);
      if (failure_) failure_ = std::move(outcome);
    }
    tar_.abort();
    packed_.abort();
    growth_.stop();
  }

  Outcome readPlain() {
    Progress progress(options_.progressBytes);
    for (;;) {
      std::uint8_t* buffer = tar_.acquire();
      if (buffer == nullptr) return {};
      std::size_t got = 0;
      if (Outcome read = source_.read({buffer, kChunkBytes}, got); !read) return read;
      progress.at(source_.bytesRead());
      if (Outcome fits = publish(got, source_.bytesRead()); !fits) return fits;
      // Others read it now; nobody writes to it before this thread acquires it again.
      if (Outcome kept = source_.keep({buffer, got}); !kept) return kept;
      if (got < kChunkBytes) break;
    }
    tar_.finish();
    return {};
  }

  /// Hands a compressed blob to the decoder, and does what the stored form needs while that works.
  Outcome readPacked() {
    for (std::size_t got = kChunkBytes; got == kChunkBytes;) {
      std::uint8_t* buffer = packed_.acquire();
      if (buffer == nullptr) return {};
      if (Outcome read = source_.read({buffer, kChunkBytes}, got); !read) return read;
      if (got > 0) packed_.publish(got);
      if (Outcome kept = source_.keep({buffer, got}); !kept) return kept;
    }
    packed_.finish();
    return {};
  }

  Outcome decode() {
    DecoderInput input(packed_);
    const std::unique_ptr<Decoder> decoder = makeDecoder(compression_, input);
    Progress progress(options_.progressBytes);
    for (;;) {
      std::uint8_t* buffer = tar_.acquire();
      if (buffer == nullptr) return {};
      std::size_t got = 0;
      if (Outcome read = decoder->read({buffer, kChunkBytes}, got); !read) return read;
      progress.at(input.bytesTaken());
      if (Outcome fits = publish(got, input.bytesTaken()); !fits) return fits;
      if (got < kChunkBytes) break;
    }
    tar_.finish();
    return {};
  }

  Outcome publish(std::size_t got, std::uint64_t blobBytes) {
    tarBytes_ += got;
    if (Outcome fits = checkSize(options_.limits, tarBytes_, blobBytes); !fits) return fits;
    if (got > 0) tar_.publish(got);
    return {};
  }

  Outcome hash() {
    Sha256 sha;
    for (Bytes chunk = tar_.next(kHashConsumer); !chunk.empty(); chunk = tar_.next(kHashConsumer)) {
      sha.update(chunk.data(), chunk.size());
      tar_.release(kHashConsumer);
    }
    diffId_ = sha.finish();
    return {};
  }

  const Options& options_;
  Growth& growth_;
  const bool isPlain_;
  const Compression compression_;
  BlobSource source_;
  ChunkRing tar_;
  ChunkRing packed_;
  std::uint64_t tarBytes_ = 0;
  std::string diffId_;
  std::mutex mutex_;
  Outcome failure_;
};

Outcome findCompression(const Options& options, Growth& growth, Compression& found) {
  std::uint8_t start[4] = {};
  std::size_t got = 0;
  const BlobSource source(options.blobFd, options.blobOffset, options.blobLength, growth, -1,
                          false);
  if (Outcome peeked = source.peek(start, got); !peeked) return peeked;
  found = compressionOf({start, got});
  if (options.compression == Compression::kAuto || options.compression == found) return {};
  return refused(code::kMediaType, "the media type says " +
                                       std::string(compressionName(options.compression)) +
                                       ", the bytes are " + std::string(compressionName(found)));
}

}  // namespace

Outcome runPipeline(const Options& options, const std::function<Outcome()>& ready, const Sink& sink,
                    BlobFacts& facts) {
  Growth growth(options.growthFd, options.blobLength);
  if (Outcome opened = growth.open(); !opened) return opened;
  Compression compression = Compression::kNone;
  if (Outcome found = findCompression(options, growth, compression); !found) return found;
  return Pipeline(options, growth, compression).run(ready, sink, facts);
}

}  // namespace teu::layer
