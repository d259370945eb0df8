#include "tree/comparison.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "sys/unique_fd.h"
#include "tree/content_digest.h"
#include "tree/differences.h"
#include "tree/entry_line.h"
#include "tree/line_output.h"
#include "tree/manifest.h"
#include "tree/mend_attributes.h"
#include "tree/tree_walk.h"

namespace teu::tree {
namespace {

constexpr const char* kMissing = "missing";
constexpr const char* kChangedData = "changed-data";
constexpr const char* kChangedAttributes = "changed-attributes";
constexpr const char* kExtra = "extra";
constexpr const char* kFound = "found";

/// The order of a walk: a directory before what is in it, and that before what follows it.
bool comesBefore(const std::string& one, const std::string& other) {
  const auto rank = [](char character) {
    return character == '/' ? 0 : static_cast<unsigned char>(character) + 1;
  };
  // The root is called "." and comes before all; a file can only be called so in the root.
  if (one == "." || other == ".") return one == "." && other != ".";
  return std::lexicographical_compare(one.begin(), one.end(), other.begin(), other.end(),
                                      [&](char a, char b) { return rank(a) < rank(b); });
}

bool isBelow(const std::string& path, const std::string& directory) {
  if (directory == ".") return path != ".";
  return path.size() > directory.size() && path[directory.size()] == '/' &&
         path.compare(0, directory.size(), directory) == 0;
}

class Comparison final : public TreeVisitor {
 public:
  Comparison(const Options& options, Manifest& manifest)
      : options_(options), manifest_(manifest), mends_(options.command == Command::kMend) {}

  Outcome begin() { return advance(); }

  Outcome visit(const Visited& entry, bool& enter) override {
    entries_ += 1;
    if (Outcome passed = passMissing(entry.path); !passed) return passed;
    if (!there_ || wanted_.path != entry.path) {
      report(kExtra, kFound, entry.path, "was not there at the commit");
      enter = false;
      return {};
    }
    compare(entry);
    // What is or was below an entry of another type is told by this one line.
    enter = enter && wanted_.type == EntryType::kDirectory;
    return entry.isDirectory() ? advance() : skip(entry.path);
  }

  Outcome unreadable(const std::string& path, const char* syscall, int number) override {
    if (number == ENOENT) return {};
    const std::string why = number == EXDEV ? "something is mounted over it"
                                            : std::string("cannot be read: ") + syscall + ": " +
                                                  strerrordesc_np(number);
    report(kChangedData, kFound, path, why);
    // It is neither missing nor extra, and what should be below it is told by this one line.
    if (Outcome passed = passMissing(path); !passed) return passed;
    return skip(path);
  }

  Outcome finish() {
    while (there_) {
      if (Outcome told = reportMissing(); !told) return told;
    }
    output_.addUnhashed("end " + std::to_string(entries_) + ' ' + std::to_string(bytesRead_));
    return output_.flush();
  }

  bool hasMended() const noexcept { return mended_; }

 private:
  Outcome advance() { return manifest_.next(wanted_, there_); }

  /// Goes past what the manifest has of `path` and below it.
  Outcome skip(const std::string& path) {
    while (there_ && (wanted_.path == path || isBelow(wanted_.path, path))) {
      if (Outcome next = advance(); !next) return next;
    }
    return {};
  }

  /// Reports what should have come before `path`.
  Outcome passMissing(const std::string& path) {
    while (there_ && comesBefore(wanted_.path, path)) {
      if (Outcome told = reportMissing(); !told) return told;
    }
    return {};
  }

  /// A directory stands for all that was in it.
  Outcome reportMissing() {
    const std::string top = wanted_.path;
    std::uint64_t below = 0;
    std::string detail = std::string("was ") + describeType(wanted_.type);
    if (Outcome next = advance(); !next) return next;
    while (there_ && isBelow(wanted_.path, top)) {
      below += 1;
      if (Outcome next = advance(); !next) return next;
    }
    if (below > 0) detail += " with " + std::to_string(below) + " below it";
    report(kMissing, kFound, top, detail);
    return {};
  }

  void compare(const Visited& entry) {
    EntryFacts present;
    const FactsWanted looks{.content = false};
    if (Outcome read = readFacts(entry, looks, names_, present, bytesRead_); !read) {
      return reportUnreadable(read.failure());
    }
    std::string data = describeOtherData(wanted_, present);
    if (data.empty() && wanted_.type == EntryType::kFile && !isContentSame(entry, present, data)) {
      return report(kChangedData, kFound, wanted_.path, data);
    }
    if (!data.empty()) return report(kChangedData, kFound, wanted_.path, data);
    if (wanted_.type == EntryType::kOtherName) return;
    const std::string attributes = describeOtherAttributes(wanted_, present);
    if (!attributes.empty()) mendOrReport(entry, present, attributes);
  }

  /// A time that is another one is reason enough to look into the file.
  bool isContentSame(const Visited& entry, const EntryFacts& present, std::string& detail) {
    const bool touched =
        wanted_.seconds != present.seconds || wanted_.nanoseconds != present.nanoseconds;
    if (!options_.readData && !touched) return true;
    std::string digest;
    const Outcome read = digestContent(entry.name, entry.path, digest, bytesRead_);
    if (!read) {
      detail = describe(read.failure());
      return false;
    }
    detail = digest == wanted_.content ? "" : "content is not that of the commit";
    return detail.empty();
  }

  void mendOrReport(const Visited& entry, const EntryFacts& present, const std::string& detail) {
    if (!mends_) return report(kChangedAttributes, kFound, wanted_.path, detail);
    const Outcome mended = mendAttributes(entry.name, wanted_, present);
    mended_ = true;
    if (mended) return report(kChangedAttributes, "mended", wanted_.path, detail);
    report(kChangedAttributes, "failed", wanted_.path, detail + "; " + describe(mended.failure()));
  }

  static std::string describe(const Failure& failure) {
    return "cannot " + failure.step + ": " + strerrordesc_np(failure.number);
  }

  void reportUnreadable(const Failure& failure) {
    report(kChangedData, kFound, wanted_.path, describe(failure));
  }

  void report(const char* kind, const char* became, const std::string& path,
              const std::string& detail) {
    output_.addUnhashed(std::string(kind) + ' ' + became + ' ' + escaped(path) + ' ' +
                        escaped(detail));
  }

  const Options& options_;
  Manifest& manifest_;
  const bool mends_;
  EntryFacts wanted_;
  bool there_ = false;
  bool mended_ = false;
  FirstNames names_;
  LineOutput output_;
  std::uint64_t entries_ = 0;
  std::uint64_t bytesRead_ = 0;
};

/// What was mended lasts before anyone is told so.
Outcome writeToDisk(const char* directory) {
  const UniqueFd fd(open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return sysFailure("open", "write to disk", errno);
  return syncfs(fd.get()) == 0 ? Outcome{} : sysFailure("syncfs", "write to disk", errno);
}

}  // namespace

Outcome compareTree(const Options& options) {
  Manifest manifest;
  if (Outcome opened = manifest.open(options.manifest, options.digest); !opened) return opened;
  Comparison comparison(options, manifest);
  if (Outcome begun = comparison.begin(); !begun) return begun;
  // The walk moves the working directory, and a relative path must not follow it.
  if (Outcome walked = walkTree(options.directory, comparison); !walked) return walked;
  if (comparison.hasMended()) {
    if (Outcome written = writeToDisk("."); !written) return written;
  }
  return comparison.finish();
}

}  // namespace teu::tree
