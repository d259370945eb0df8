#include "tree/listing.h"

#include <errno.h>
#include <unistd.h>

#include "tree/entry_line.h"
#include "tree/manifest.h"
#include "tree/tree_walk.h"

namespace teu::tree {
namespace {

/// Every line has the whole path, so a tree of a few thousand levels could make a listing of many
/// gigabytes. Nothing that was unpacked from an archive comes near.
constexpr std::size_t kPathBytes = 64 * 1024;

class Lister final : public TreeVisitor {
 public:
  Lister(const ListingOptions& options, LineOutput& output, ListingTotals& totals)
      : options_(options), output_(output), totals_(totals) {}

  Outcome visit(const Visited& entry, bool&) override {
    if (entry.path.size() > kPathBytes) {
      return failureAt("statx", "list the tree", entry.path.substr(0, 256), ENAMETOOLONG);
    }
    EntryFacts facts;
    Outcome read = readFacts(entry, options_.wanted, names_, facts, totals_.bytesRead);
    if (!read) return read;
    totals_.entries += 1;
    output_.add(formatEntry(facts, options_.directoryTimes), options_.print);
    return {};
  }

  Outcome unreadable(const std::string& path, const char* syscall, int number) override {
    return failureAt(syscall, "list the tree", path, number);
  }

 private:
  const ListingOptions& options_;
  LineOutput& output_;
  ListingTotals& totals_;
  FirstNames names_;
};

/// Copies the lines of the caller from standard input.
Outcome addHeader(LineOutput& output) {
  std::string text;
  char buffer[16384];
  for (ssize_t count = 0; (count = read(STDIN_FILENO, buffer, sizeof buffer)) != 0;) {
    if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
    if (count < 0 && errno != EINTR) return sysFailure("read", "read the header", errno);
  }
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos || rest[0] != kHeaderMark) {
      return Outcome(Failure{.code = code::kUsage, .message = "the header is malformed"});
    }
    output.add(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return {};
}

}  // namespace

Outcome listTree(const char* root, const ListingOptions& options, LineOutput& output,
                 ListingTotals& totals) {
  Lister lister(options, output, totals);
  return walkTree(root, lister);
}

Outcome writeManifest(const char* root, bool withHeader) {
  LineOutput output;
  ListingTotals totals;
  output.add(kManifestMark);
  if (Outcome added = withHeader ? addHeader(output) : Outcome{}; !added) return added;
  if (Outcome listed = listTree(root, {}, output, totals); !listed) return listed;
  output.addUnhashed(std::string(kManifestEnd) + output.digest() + ' ' +
                     std::to_string(totals.entries));
  return output.flush();
}

}  // namespace teu::tree
