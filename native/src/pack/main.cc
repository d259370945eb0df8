// teu-pack: puts an archive together from texts and blobs. See README.md.
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "layer/chunk_ring.h"
#include "layer/json_line.h"
#include "layer/sha256.h"
#include "pack/collect_pieces.h"
#include "pack/output.h"

namespace teu::pack {
namespace {

constexpr std::size_t kChunkBytes = 1024 * 1024;
constexpr std::size_t kSlots = 4;
enum Consumer : std::size_t { kWriter, kHasher };

void print(const std::string& line) {
  (void)!write(STDOUT_FILENO, line.data(), line.size());
}

Outcome writeAll(layer::ChunkRing& ring, Output& output) {
  for (layer::Bytes chunk = ring.next(kWriter); !chunk.empty(); chunk = ring.next(kWriter)) {
    if (Outcome written = output.write(chunk); !written) {
      (void)ring.abort();
      return written;
    }
    ring.release(kWriter);
  }
  return {};
}

std::string hashAll(layer::ChunkRing& ring) {
  layer::Sha256 hash;
  for (layer::Bytes chunk = ring.next(kHasher); !chunk.empty(); chunk = ring.next(kHasher)) {
    hash.update(chunk.data(), chunk.size());
    ring.release(kHasher);
  }
  return hash.finish();
}

Outcome pack(const Options& options, std::string& digest, Output& output) {
  if (Outcome fits = output.requireRoom(); !fits) return fits;
  layer::ChunkRing ring(kSlots, kChunkBytes, options.file ? 2 : 1);
  Outcome collected;
  std::thread collector([&] {
    PlanReader plan(stdin);
    ChunkFiller filler(ring);
    collected = collectPieces(options, plan, filler);
    if (collected) {
      filler.finish();
    } else {
      (void)ring.abort();
    }
  });
  std::thread hasher;
  if (options.file) hasher = std::thread([&] { digest = hashAll(ring); });
  Outcome written = writeAll(ring, output);
  collector.join();
  if (hasher.joinable()) hasher.join();
  if (!collected) return collected;
  if (!written) return written;
  return output.finish();
}

int tell(const layer::Failure& failure) {
  layer::JsonLine line;
  line.add("code", failure.code)
      .add("message", failure.message)
      .add("step", failure.step)
      .add("entry", failure.entry)
      .add("errnoName", failure.number == 0 ? "" : strerrorname_np(failure.number));
  print(line.finish());
  return failure.code == layer::code::kUsage ? 2 : 1;
}

}  // namespace
}  // namespace teu::pack

int main(int count, char** arguments) {
  using namespace teu::pack;
  // Nobody will read what this would write.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A reader that is gone is told like any other failure.
  signal(SIGPIPE, SIG_IGN);
  Options options;
  if (Outcome parsed = parseOptions(count, arguments, options); !parsed)
    return tell(parsed.failure());
  Output output(options);
  std::string digest;
  if (Outcome packed = pack(options, digest, output); !packed) return tell(packed.failure());
  teu::layer::JsonLine line;
  print(line.add("bytes", output.written()).add("digest", digest).finish());
  return 0;
}
