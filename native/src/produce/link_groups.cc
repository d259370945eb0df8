#include "produce/link_groups.h"

#include "trees/difference.h"

namespace teu::produce {

using trees::Difference;
using trees::Kind;
using trees::Outcome;
using trees::Pair;
using trees::Position;

FileKey keyOf(const struct statx& info) noexcept {
  return {info.stx_dev_major, info.stx_dev_minor, info.stx_ino};
}

bool LinkGroups::concerns(const Pair& pair) noexcept {
  if (pair.changed == nullptr || S_ISDIR(pair.changed->stx_mode)) return false;
  return pair.changed->stx_nlink > 1 || (pair.old != nullptr && pair.old->stx_nlink > 1);
}

class LinkGroups::Look final : public trees::Visitor {
 public:
  Look(const Position& old, const Position& changed, bool descends,
       std::map<FileKey, bool>& touched)
      : old_(old), changed_(changed), descends_(descends), touched_(touched) {}

  Outcome visit(const Pair& pair) override {
    if (!concerns(pair)) return {};
    Difference difference;
    Outcome found = findDifference(pair, old_, changed_, descends_, difference);
    if (!found) return found;
    const FileKey key = keyOf(*pair.changed);
    bool& touched = touched_[key];
    if (difference.kind != Kind::kNone) touched = true;
    if (difference.kind == Kind::kNone && !isStillOneFile(keyOf(*pair.old), key)) touched = true;
    return {};
  }

  Outcome entered(const char*, std::size_t, const std::string&) override { return {}; }
  Outcome leaving(std::size_t, const std::string&) override { return {}; }

 private:
  /// Whether the names seen so far were the same file when they are, and the other way round.
  bool isStillOneFile(const FileKey& old, const FileKey& changed) {
    const auto [became, isFirstOfOld] = became_.try_emplace(old, changed);
    const auto [was, isFirstOfChanged] = was_.try_emplace(changed, old);
    return became->second == changed && was->second == old;
  }

  const Position& old_;
  const Position& changed_;
  const bool descends_;
  std::map<FileKey, bool>& touched_;
  std::map<FileKey, FileKey> became_;
  std::map<FileKey, FileKey> was_;
};

Outcome LinkGroups::find(Position& old, Position& changed, bool descends) {
  Look look(old, changed, descends, touched_);
  return walkBoth(old, changed, look);
}

bool LinkGroups::isTouched(const struct statx& changed) const {
  const auto found = touched_.find(keyOf(changed));
  return found != touched_.end() && found->second;
}

}  // namespace teu::produce
