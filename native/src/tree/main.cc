// teu-tree: measures, lists, checks and mends the tree of a snapshot. See README.md.
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <string>

#include "layer/json_line.h"
#include "tree/comparison.h"
#include "tree/file_digest.h"
#include "tree/listing.h"
#include "tree/options.h"
#include "tree/priority.h"
#include "tree/probe.h"
#include "tree/usage.h"

namespace teu::tree {
namespace {

constexpr char kUsageText[] =
    "usage: teu-tree usage DIR [--exclusive]\n"
    "       teu-tree probe DIR\n"
    "       teu-tree hash DIR [--no-xattrs] [--no-hard-links] [--list]\n"
    "       teu-tree digest FILE\n"
    "       teu-tree manifest DIR [--header]\n"
    "       teu-tree check DIR MANIFEST [--digest DIGEST] [--read-data]\n"
    "       teu-tree mend DIR MANIFEST [--digest DIGEST] [--read-data]\n"
    "       and with each: [--idle]\n";

/// Exit statuses.
constexpr int kFailed = 1;
constexpr int kMisused = 2;
constexpr int kDamaged = 3;

Outcome printUsage(const Options& options) {
  Usage usage;
  if (Outcome done = measureTree(options.directory, options.exclusive, usage); !done) return done;
  layer::JsonLine line;
  line.add("bytes", usage.bytes).add("inodes", usage.inodes);
  if (options.exclusive) line.add("exclusive", usage.exclusive);
  std::string text = line.finish();
  text.pop_back();
  LineOutput output;
  output.addUnhashed(text);
  return output.flush();
}

Outcome printProbe(const Options& options) {
  bool kept = false;
  if (Outcome done = probeAttributes(options.directory, kept); !done) return done;
  LineOutput output;
  output.addUnhashed(kept ? R"({"attributes":true})" : R"({"attributes":false})");
  return output.flush();
}

Outcome printHash(const Options& options) {
  const ListingOptions listing{
      .wanted = {.attributes = options.attributes, .otherNames = options.hardLinks},
      .directoryTimes = false,
      .print = options.list};
  LineOutput output;
  ListingTotals totals;
  Outcome done = listTree(options.directory, listing, output, totals);
  if (!done) return done;
  output.addUnhashed(output.digest());
  return output.flush();
}

Outcome printDigest(const Options& options) {
  std::string digest;
  std::uint64_t size = 0;
  if (Outcome done = digestFile(options.directory, digest, size); !done) return done;
  layer::JsonLine line;
  line.add("digest", digest).add("bytes", size);
  std::string text = line.finish();
  text.pop_back();
  LineOutput output;
  output.addUnhashed(text);
  return output.flush();
}

Outcome run(const Options& options) {
  switch (options.command) {
    case Command::kUsage:
      return printUsage(options);
    case Command::kProbe:
      return printProbe(options);
    case Command::kHash:
      return printHash(options);
    case Command::kDigest:
      return printDigest(options);
    case Command::kManifest:
      return writeManifest(options.directory, options.header);
    case Command::kCheck:
    case Command::kMend:
      return compareTree(options);
  }
  return {};
}

int tell(const Failure& failure, int status) {
  layer::JsonLine line;
  line.add("code", failure.code)
      .add("message", failure.message)
      .add("step", failure.step)
      .add("path", failure.entry)
      .add("errno", static_cast<std::uint64_t>(failure.number))
      .add("errnoName", failure.number == 0 ? "" : strerrorname_np(failure.number));
  const std::string text = line.finish();
  (void)!write(STDERR_FILENO, text.data(), text.size());
  return status;
}

}  // namespace
}  // namespace teu::tree

int main(int count, char** arguments) {
  using namespace teu::tree;
  // Nobody will read what this would find.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Options options;
  if (Outcome parsed = parseOptions(count, arguments, options); !parsed) {
    (void)!write(STDERR_FILENO, kUsageText, sizeof kUsageText - 1);
    return tell(parsed.failure(), kMisused);
  }
  if (options.idle) yieldToOthers();
  const Outcome done = run(options);
  if (done) return 0;
  return tell(done.failure(), done.failure().code == code::kDamagedManifest ? kDamaged : kFailed);
}
