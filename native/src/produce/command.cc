#include "produce/command.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <latch>
#include <new>
#include <thread>

#include "produce/allowed_calls.h"
#include "produce/encoder.h"
#include "produce/options.h"
#include "produce/tree_writer.h"

namespace teu::produce {
namespace {

constexpr std::size_t kChunkBytes = 1 << 20;
constexpr std::size_t kSlots = 8;
constexpr std::size_t kEncodeConsumer = 0;
constexpr std::size_t kHashConsumer = 1;
constexpr std::size_t kConsumers = 2;

/// What is known of a tar that was made.
struct Facts {
  std::string digest{};
  std::string diffId{};
  std::uint64_t blobBytes = 0;
  std::uint64_t tarBytes = 0;
  std::uint64_t entries = 0;
  std::uint64_t contentBytes = 0;
};

/// Runs work that may need more memory than the cage allows.
template <typename Work>
Outcome bounded(Work work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return sysFailure("brk", "keep what is needed in memory", ENOMEM);
  }
}

Outcome enter(const Options& options) {
  if (Outcome closed = cage::closeBeyond(std::max(STDERR_FILENO, options.outputFd)); !closed) {
    return closed;
  }
  constexpr std::uint64_t kReading = cage::capabilityBit(CAP_DAC_READ_SEARCH);
  return cage::enterCageOfTrees(options.cageDirectory, options.trees, kReading);
}

Outcome writeTar(const Options& options, layer::ChunkRing& ring, Facts& facts) {
  trees::Position old;
  trees::Position changed;
  if (options.has(kOld)) {
    if (Outcome opened = old.openRoot(kOld); !opened) return opened;
  }
  if (Outcome opened = changed.openRoot(kChanged); !opened) return opened;
  RingOutput output(ring, options);
  MemberWriter writer(changed, options, output);
  if (Outcome done = writeDifferences(old, changed, options, writer); !done) return done;
  if (Outcome ended = output.addZeros(2 * kBlockBytes); !ended) return ended;
  output.finish();
  facts.tarBytes = output.bytes();
  facts.entries = writer.entries();
  facts.contentBytes = writer.contentBytes();
  return {};
}

Outcome encodeChunks(layer::ChunkRing& ring, layer::Compression compression, BlobOutput& output) {
  const std::unique_ptr<Encoder> encoder = makeEncoder(compression);
  for (layer::Bytes chunk = ring.next(kEncodeConsumer); !chunk.empty();
       chunk = ring.next(kEncodeConsumer)) {
    if (Outcome taken = encoder->encode(chunk, false, output); !taken) return taken;
    ring.release(kEncodeConsumer);
  }
  return encoder->encode({}, true, output);
}

void hashChunks(layer::ChunkRing& ring, std::string& digest) {
  layer::Sha256 sha;
  for (layer::Bytes chunk = ring.next(kHashConsumer); !chunk.empty();
       chunk = ring.next(kHashConsumer)) {
    sha.update(chunk.data(), chunk.size());
    ring.release(kHashConsumer);
  }
  digest = sha.finish();
}

/// Nothing that names the tar may be recorded before it is on the disk. Who reads from a pipe
/// answers for it.
Outcome syncOutput(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return sysFailure("fstat", "sync the layer", errno);
  if (!S_ISREG(info.st_mode)) return {};
  return fdatasync(fd) == 0 ? Outcome{} : sysFailure("fdatasync", "sync the layer", errno);
}

/// One thread reads the trees, one compresses and writes, one hashes.
Outcome runThreads(const Options& options, Facts& facts) {
  layer::ChunkRing ring(kSlots, kChunkBytes, kConsumers);
  const bool plain = options.compression == layer::Compression::kNone;
  BlobOutput blob(options.outputFd, !plain);
  Outcome encoded;
  std::latch started(1);
  bool go = false;
  std::thread encoder([&] {
    started.wait();
    if (!go) return;
    encoded = bounded([&] { return encodeChunks(ring, options.compression, blob); });
    if (!encoded) (void)ring.abort();
  });
  std::thread hasher([&] {
    started.wait();
    if (go) hashChunks(ring, facts.diffId);
  });
  Outcome made = restrictSyscalls();
  go = static_cast<bool>(made);
  started.count_down();
  if (go) made = bounded([&] { return writeTar(options, ring, facts); });
  const bool isCause = !made && ring.abort();
  encoder.join();
  hasher.join();
  // Who failed second only saw that the other has stopped.
  if (isCause) return made;
  if (!encoded) return encoded;
  if (!made) return made;
  facts.blobBytes = blob.bytes();
  facts.digest = plain ? facts.diffId : blob.digest();
  return syncOutput(options.outputFd);
}

}  // namespace

const char* const kUsageText =
    "       teu-layer produce --output-fd N --cage DIRECTORY [--tree old MOUNT...] --tree changed "
    "MOUNT...\n"
    "  --form layer|tree                 what it is for: to be applied, or a tar of a live tree\n"
    "  --descends                        the changed tree was made from the old one\n"
    "  --excluded PATH                   left out if it was added and is empty; may be repeated\n"
    "  --compression none|gzip|zstd --progress-bytes N --max-bytes N --max-entries N --max-depth "
    "N\n";

Outcome runProduce(int count, char** arguments, layer::JsonLine& line) {
  Options options;
  if (Outcome parsed = parseOptions(count, arguments, options); !parsed) return parsed;
  // A reader that goes away is told as EPIPE.
  signal(SIGPIPE, SIG_IGN);
  if (Outcome entered = enter(options); !entered) return entered;
  Facts facts;
  Outcome done = bounded([&] { return runThreads(options, facts); });
  line.add("digest", facts.digest)
      .add("diffId", facts.diffId)
      .add("compression", layer::compressionName(options.compression))
      .add("blobBytes", facts.blobBytes)
      .add("tarBytes", facts.tarBytes)
      .add("entries", facts.entries)
      .add("contentBytes", facts.contentBytes);
  return done;
}

}  // namespace teu::produce
