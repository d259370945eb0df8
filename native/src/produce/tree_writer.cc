#include "produce/tree_writer.h"

#include <errno.h>
#include <fcntl.h>

#include <map>
#include <set>
#include <vector>

#include "produce/link_groups.h"
#include "trees/walk.h"

namespace teu::produce {
namespace {

using trees::Difference;
using trees::Kind;
using trees::Pair;
using trees::Position;

class TreeWriter final : public trees::Visitor {
 public:
  TreeWriter(const Position& old, const Position& changed, const Options& options,
             const LinkGroups& groups, MemberWriter& writer)
      : old_(old), changed_(changed), options_(options), groups_(groups), writer_(writer) {}

  Outcome visit(const Pair& pair) override {
    if (pair.changed == nullptr) return writeGone(pair);
    if (isExcluded(pair)) return {};
    bool isWanted = false;
    if (Outcome known = isToBeWritten(pair, isWanted); !known || !isWanted) return known;
    if (S_ISSOCK(pair.changed->stx_mode)) {
      // No tar has a place for it; what it has replaced is gone all the same.
      const bool replaces = pair.old != nullptr && !S_ISSOCK(pair.old->stx_mode);
      return replaces ? writeGone(pair) : Outcome{};
    }
    if (Outcome above = writeDirectoriesAbove(); !above) return above;
    return writeChanged(pair);
  }

  Outcome entered(const char*, std::size_t, const std::string& path) override {
    Directory directory{.path = path};
    directory.isWritten = writtenAhead_.erase(path) > 0;
    if (!directory.isWritten) {
      if (Outcome read = readDirectory(path, directory.facts); !read) return read;
    }
    open_.push_back(std::move(directory));
    return {};
  }

  Outcome leaving(std::size_t, const std::string&) override {
    open_.pop_back();
    return {};
  }

 private:
  /// A directory in which the walk stands.
  struct Directory {
    std::string path{};
    tree::EntryFacts facts{};
    bool isWritten = false;
  };

  /// What was made for a mount. A directory is decided on when there is something in it.
  bool isExcluded(const Pair& pair) const {
    if (pair.old != nullptr || !options_.excluded.contains(pair.path)) return false;
    const bool isEmptyFile = S_ISREG(pair.changed->stx_mode) && pair.changed->stx_size == 0;
    return isEmptyFile || S_ISDIR(pair.changed->stx_mode);
  }

  Outcome isToBeWritten(const Pair& pair, bool& isWanted) const {
    if (pair.old == nullptr) {
      isWanted = true;
      return {};
    }
    if (LinkGroups::concerns(pair)) {
      isWanted = groups_.isTouched(*pair.changed);
      return {};
    }
    Difference difference;
    Outcome found = findDifference(pair, old_, changed_, options_.descends, difference);
    isWanted = difference.kind != Kind::kNone;
    return found;
  }

  Outcome writeGone(const Pair& pair) {
    if (Outcome above = writeDirectoriesAbove(); !above) return above;
    return writer_.writeWhiteout(pair.path);
  }

  Outcome writeChanged(const Pair& pair) {
    tree::EntryFacts facts;
    Outcome read = readEntry(changed_, pair.name, pair.path, *pair.changed, facts);
    if (!read) return options_.form == Form::kTree && isGone(read) ? Outcome{} : std::move(read);
    const bool isDirectory = S_ISDIR(pair.changed->stx_mode);
    const bool hasNames = !isDirectory && pair.changed->stx_nlink > 1;
    if (hasNames) {
      const auto first = firstNames_.find(keyOf(*pair.changed));
      if (first != firstNames_.end()) return writer_.writeLink(pair.path, first->second, facts);
    }
    bool written = false;
    if (Outcome done = writer_.writeEntry(pair.path, pair.name, facts, written); !done) return done;
    if (hasNames && written) firstNames_.emplace(keyOf(*pair.changed), pair.path);
    if (isDirectory) writtenAhead_.insert(pair.path);
    return {};
  }

  static bool isGone(const Outcome& failed) { return failed.failure().number == ENOENT; }

  /// A directory is in a layer if something in it is.
  Outcome writeDirectoriesAbove() {
    for (Directory& directory : open_) {
      const bool isRoot = directory.path == "/";
      if (directory.isWritten || isRoot) continue;
      if (Outcome done =
              writer_.writeEntry(directory.path, ".", directory.facts, directory.isWritten);
          !done) {
        return done;
      }
    }
    return {};
  }

  Outcome readDirectory(const std::string& path, tree::EntryFacts& facts) const {
    struct statx info {};
    if (statx(changed_.fd(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &info) != 0) {
      return failureAt("statx", "walk the tree", path, errno);
    }
    return readEntry(changed_, ".", path, info, facts);
  }

  const Position& old_;
  const Position& changed_;
  const Options& options_;
  const LinkGroups& groups_;
  MemberWriter& writer_;
  std::vector<Directory> open_;
  std::set<std::string> writtenAhead_;  ///< directories that the walk will go into
  std::map<FileKey, std::string> firstNames_;
};

}  // namespace

Outcome writeDifferences(Position& old, Position& changed, const Options& options,
                         MemberWriter& writer) {
  LinkGroups groups;
  if (options.has(kOld)) {
    if (Outcome found = groups.find(old, changed, options.descends); !found) return found;
  }
  TreeWriter visitor(old, changed, options, groups, writer);
  return walkBoth(old, changed, visitor);
}

}  // namespace teu::produce
