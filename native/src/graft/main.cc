// teu-graft: compares the trees of two snapshots, and carries what was written to one over to
// another base. See README.md.
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <new>
#include <string>

#include "cage/cage.h"
#include "graft/allowed_calls.h"
#include "graft/comparison.h"
#include "graft/options.h"
#include "graft/transplant.h"
#include "layer/json_line.h"

namespace teu::graft {
namespace {

constexpr char kUsageText[] =
    "usage: teu-graft compare --cage DIR [--descends] [--tree old MOUNT...] --tree changed "
    "MOUNT...\n"
    "       teu-graft transplant --cage DIR [--descends] --tree old MOUNT... --tree changed "
    "MOUNT...\n"
    "                            --tree new MOUNT...\n"
    "       MOUNT is --mount TYPE SOURCE TARGET FLAGS DATA\n"
    "  --descends   the changed tree was made from the old one when that had been written\n";

/// Extended attributes in "trusted." are seen and set only with it (xattr(7)).
constexpr std::uint64_t kTrusted = cage::capabilityBit(CAP_SYS_ADMIN);
constexpr std::uint64_t kReading = cage::capabilityBit(CAP_DAC_OVERRIDE) | kTrusted;
constexpr std::uint64_t kWriting = cage::kWritingCapabilities | kTrusted;

Outcome enter(const Options& options) {
  const std::uint64_t capabilities = options.command == Command::kCompare ? kReading : kWriting;
  if (Outcome closed = cage::closeBeyond(STDERR_FILENO); !closed) return closed;
  Outcome caged = cage::enterCageOfTrees(options.cageDirectory, options.trees, capabilities);
  return caged ? restrictSyscalls() : std::move(caged);
}

Outcome openTree(const Options& options, const char* name, Position& position) {
  return options.has(name) ? position.openRoot(name) : Outcome{};
}

Outcome run(const Options& options, layer::JsonLine& line) {
  if (Outcome entered = enter(options); !entered) return entered;
  Position old;
  Position changed;
  Position target;
  if (Outcome opened = openTree(options, kOld, old); !opened) return opened;
  if (Outcome opened = openTree(options, kChanged, changed); !opened) return opened;
  if (Outcome opened = openTree(options, kNew, target); !opened) return opened;
  std::uint64_t count = 0;
  Outcome done = options.command == Command::kCompare
                     ? printDifferences(old, changed, options.descends, count)
                     : transplant(old, changed, target, options.descends, count);
  line.add("changed", count);
  return done;
}

/// A tree can need more memory than the cage allows, by directories of millions of names.
Outcome runBounded(const Options& options, layer::JsonLine& line) {
  try {
    return run(options, line);
  } catch (const std::bad_alloc&) {
    return tree::sysFailure("brk", "keep what is needed in memory", ENOMEM);
  }
}

std::string describe(const tree::Failure& failure) {
  layer::JsonLine line;
  line.add("code", failure.code)
      .add("message", failure.message)
      .add("step", failure.step)
      .add("entry", failure.entry)
      .add("errnoName", failure.number == 0 ? "" : strerrorname_np(failure.number));
  return line.finish();
}

int answer(const std::string& line, int status) {
  const ssize_t written = write(STDOUT_FILENO, line.data(), line.size());
  return written == static_cast<ssize_t>(line.size()) ? status : 1;
}

}  // namespace
}  // namespace teu::graft

int main(int count, char** arguments) {
  using namespace teu::graft;
  // The service that asked is gone: nobody will record what this would write.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Options options;
  if (Outcome parsed = parseOptions(count, arguments, options); !parsed) {
    (void)!write(STDERR_FILENO, kUsageText, sizeof kUsageText - 1);
    return answer(describe(parsed.failure()), 2);
  }
  teu::layer::JsonLine line;
  const Outcome done = runBounded(options, line);
  return done ? answer(line.finish(), 0) : answer(describe(done.failure()), 1);
}
