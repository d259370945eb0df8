#include "layer/pipeline.h"

#include <unistd.h>

#include <latch>
#include <memory>
#include <thread>

#include "layer/blob_source.h"
#include "layer/decoder.h"
#include "layer/json_line.h"

namespace teu::layer {
namespace {

constexpr std::size_t kChunkBytes = 1 << 20;
constexpr std::size_t kSlots = 8;
constexpr std::size_t kSinkConsumer = 0;
constexpr std::size_t kHashConsumer = 1;
constexpr std::size_t kConsumers = 2;

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

/// The producer: fills the ring from the blob.
Outcome produce(const Options& options, BlobSource& source, ChunkRing& ring, BlobFacts& facts) {
  std::unique_ptr<Decoder> decoder;
  Outcome made = makeDecoder(source, options.compression, facts.compression, decoder);
  if (!made) return made;
  Progress progress(options.progressBytes);
  for (;;) {
    std::uint8_t* buffer = ring.acquire();
    if (buffer == nullptr) return {};
    std::size_t got = 0;
    if (Outcome read = decoder->read({buffer, ring.chunkBytes()}, got); !read) return read;
    facts.tarBytes += got;
    progress.at(source.bytesRead());
    if (Outcome fits = checkSize(options.limits, facts.tarBytes, source.bytesRead()); !fits) {
      return fits;
    }
    if (got > 0) ring.publish(got);
    if (got < ring.chunkBytes()) break;
  }
  if (Outcome drained = source.drain(); !drained) return drained;
  ring.finish();
  return {};
}

void hashChunks(ChunkRing& ring, std::string& digest) {
  Sha256 sha;
  for (Bytes chunk = ring.next(kHashConsumer); !chunk.empty(); chunk = ring.next(kHashConsumer)) {
    sha.update(chunk.data(), chunk.size());
    ring.release(kHashConsumer);
  }
  digest = sha.finish();
}

bool isPlain(const Options& options, Growth& growth) {
  std::uint8_t start[4] = {};
  std::size_t got = 0;
  BlobSource probe(options.blobFd, options.blobOffset, options.blobLength, growth, -1, false);
  return probe.peek(start, got) && compressionOf({start, got}) == Compression::kNone;
}

}  // namespace

Outcome runPipeline(const Options& options, const std::function<Outcome()>& ready, const Sink& sink,
                    BlobFacts& facts) {
  ChunkRing ring(kSlots, kChunkBytes, kConsumers);
  Growth growth(options.growthFd, options.blobLength);
  if (Outcome opened = growth.open(); !opened) return opened;
  // An uncompressed blob and its tar are the same bytes: one digest serves for both.
  const bool plain = isPlain(options, growth);
  BlobSource source(options.blobFd, options.blobOffset, options.blobLength, growth, options.copyFd,
                    !plain);
  Outcome produced;
  std::latch started(1);
  bool go = false;
  std::thread producer([&] {
    started.wait();
    if (!go) return;
    produced = produce(options, source, ring, facts);
    if (!produced) ring.abort();
  });
  std::thread hasher([&] {
    started.wait();
    if (go) hashChunks(ring, facts.diffId);
  });
  Outcome consumed = ready();
  go = static_cast<bool>(consumed);
  started.count_down();
  if (go) consumed = sink(ring);
  const bool sinkFailed = !consumed && ring.abort();
  if (!consumed) growth.stop();
  producer.join();
  hasher.join();
  // Whoever failed first had the other stop: what that one then says is no cause.
  if (!produced && !sinkFailed) return produced;
  if (!consumed) return consumed;
  facts.blobBytes = source.bytesRead();
  facts.digest = plain ? facts.diffId : source.finishDigest();
  return {};
}

}  // namespace teu::layer
