#include "trees/difference.h"

#include "trees/same_content.h"

namespace teu::trees {
namespace {

bool sameTime(const struct statx_timestamp& one, const struct statx_timestamp& other) {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

bool sameInode(const struct statx& one, const struct statx& other) {
  return one.stx_ino == other.stx_ino && one.stx_dev_major == other.stx_dev_major &&
         one.stx_dev_minor == other.stx_dev_minor;
}

/// The copy of an inode in a clone of its file system. A file system that keeps whole seconds
/// cannot tell what happened in the second of the clone.
bool untouchedClone(const struct statx& one, const struct statx& other) {
  return one.stx_ino == other.stx_ino && one.stx_size == other.stx_size &&
         one.stx_mode == other.stx_mode && one.stx_ctime.tv_nsec != 0 &&
         sameTime(one.stx_ctime, other.stx_ctime) && sameTime(one.stx_mtime, other.stx_mtime);
}

bool sameAttributes(const tree::EntryFacts& one, const tree::EntryFacts& other) {
  const bool sameTimes = one.type == tree::EntryType::kDirectory ||
                         (one.seconds == other.seconds && one.nanoseconds == other.nanoseconds);
  return sameTimes && one.mode == other.mode && one.uid == other.uid && one.gid == other.gid &&
         one.attributes == other.attributes;
}

}  // namespace

Outcome readEntry(const Position& position, const char* name, const std::string& path,
                  const struct statx& info, tree::EntryFacts& facts) {
  if (Outcome stood = position.stand(path); !stood) return stood;
  constexpr tree::FactsWanted kLooks{.content = false, .otherNames = false};
  tree::FirstNames unused;
  std::uint64_t bytesRead = 0;
  return tree::readFacts({path, name, info}, kLooks, unused, facts, bytesRead);
}

Outcome findDifference(const Pair& pair, const Position& old, const Position& changed,
                       bool descends, Difference& difference) {
  difference = {};
  if (pair.old == nullptr || pair.changed == nullptr) {
    difference.kind = pair.old == nullptr ? Kind::kAdded : Kind::kRemoved;
    return {};
  }
  const struct statx& was = *pair.old;
  const struct statx& is = *pair.changed;
  if ((was.stx_mode & S_IFMT) != (is.stx_mode & S_IFMT)) {
    difference.kind = Kind::kContent;
    return {};
  }
  if (sameInode(was, is) || (descends && untouchedClone(was, is))) return {};
  tree::EntryFacts& before = difference.old;
  tree::EntryFacts& after = difference.changed;
  if (Outcome read = readEntry(old, pair.name, pair.path, was, before); !read) return read;
  if (Outcome read = readEntry(changed, pair.name, pair.path, is, after); !read) return read;
  bool same = before.size == after.size && before.target == after.target &&
              before.major == after.major && before.minor == after.minor;
  if (same && after.type == tree::EntryType::kFile) {
    if (Outcome read = compareContent(old, changed, pair, same); !read) return read;
  }
  if (!same) {
    difference.kind = Kind::kContent;
  } else if (!sameAttributes(before, after)) {
    difference.kind = Kind::kAttributes;
  }
  return {};
}

}  // namespace teu::trees
