// teu-layer: writes one layer of an image into the mounts that a storage driver returned.
// Everything that it reads is hostile, so it is one short-lived program in a cage of its own
// (README.md). It answers with one line of JSON.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "layer/apply_layer.h"
#include "layer/json_line.h"
#include "layer/options.h"
#include "produce/command.h"

namespace teu::layer {
namespace {

constexpr char kUsage[] =
    "usage: teu-layer apply --blob-fd N --cage DIRECTORY --mount TYPE SOURCE TARGET FLAGS DATA...\n"
    "       teu-layer copy  --blob-fd N [--copy-fd N] [--decoded-fd N]   hashes only, without "
    "either\n"
    "  --blob-offset N --blob-length N   piece of the file that is the blob\n"
    "  --growth-fd N                     where it is told how much of the blob is there\n"
    "  --copy-fd N                       stores the blob as it is, while it is read\n"
    "  --progress-bytes N                prints {\"progress\":BYTES} each time N more were read\n"
    "  --standalone                      the mounts show the layer alone; NEEDS_PARENT if that "
    "will not do\n"
    "  --compression auto|none|gzip|zstd what the media type says\n"
    "  --max-bytes N --max-entries N --max-ratio N --ratio-floor N --max-header-bytes N\n"
    "  --max-depth N                     limits, see limits.h\n";

/// Names of a MiB are refused, and not repeated: the longest path that the kernel takes is enough
/// to find one.
constexpr std::size_t kShownEntryBytes = 4096;

void addBlob(JsonLine& line, const BlobFacts& facts) {
  line.add("digest", facts.digest)
      .add("diffId", facts.diffId)
      .add("compression", compressionName(facts.compression))
      .add("blobBytes", facts.blobBytes)
      .add("tarBytes", facts.tarBytes);
}

std::string describe(const Failure& failure) {
  JsonLine line;
  line.add("code", failure.code)
      .add("message", failure.message)
      .add("step", failure.step)
      .add("entry", std::string_view(failure.entry).substr(0, kShownEntryBytes))
      .add("offset", failure.offset)
      .add("errno", static_cast<std::uint64_t>(failure.number))
      .add("errnoName", failure.number == 0 ? "" : strerrorname_np(failure.number));
  return line.finish();
}

Outcome run(const Options& options, JsonLine& line) {
  if (options.command == Command::kCopy) {
    BlobFacts facts;
    Outcome copied = copyBlob(options, facts);
    addBlob(line, facts);
    return copied;
  }
  AppliedLayer applied;
  Outcome done = applyLayer(options, applied);
  addBlob(line, applied.blob);
  line.add("entries", applied.entries).add("contentBytes", applied.contentBytes);
  return done;
}

int answer(const std::string& line, int status) {
  const ssize_t written = write(STDOUT_FILENO, line.data(), line.size());
  return written == static_cast<ssize_t>(line.size()) ? status : 1;
}

}  // namespace
}  // namespace teu::layer

int main(int count, char** arguments) {
  using namespace teu::layer;
  // The service that asked is gone: nobody will record what this would write.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  JsonLine line;
  Outcome done;
  if (count > 1 && std::string_view(arguments[1]) == "produce") {
    done = teu::produce::runProduce(count, arguments, line);
  } else {
    Options options;
    done = parseOptions(count, arguments, options);
    if (done) done = run(options, line);
  }
  if (done) return answer(line.finish(), 0);
  const bool misused = done.failure().code == code::kUsage;
  if (misused) {
    for (const char* text : {kUsage, teu::produce::kUsageText}) {
      (void)!write(STDERR_FILENO, text, strlen(text));
    }
  }
  return answer(describe(done.failure()), misused ? 2 : 1);
}
