#include "graft/comparison.h"

#include "graft/names.h"
#include "layer/json_line.h"
#include "tree/line_output.h"

namespace teu::graft {
namespace {

const char* nameOf(Kind kind) {
  switch (kind) {
    case Kind::kAdded:
      return "added";
    case Kind::kRemoved:
      return "removed";
    case Kind::kContent:
      return "content";
    default:
      return "attributes";
  }
}

class Comparison final : public Visitor {
 public:
  Comparison(const Position& old, const Position& changed, bool descends)
      : old_(old), changed_(changed), descends_(descends) {}

  Outcome visit(const Pair& pair) override {
    if (pair.path == "/" && pair.old == nullptr) return {};
    Difference difference;
    Outcome found = findDifference(pair, old_, changed_, descends_, difference);
    const bool isTold = difference.kind != Kind::kNone && pair.path.size() <= kToldPathBytes;
    if (!found || !isTold) return found;
    count_ += 1;
    layer::JsonLine line;
    line.add("kind", nameOf(difference.kind)).add("path", pair.path);
    std::string text = line.finish();
    text.pop_back();
    output_.addUnhashed(text);
    return {};
  }

  Outcome entered(const char*, std::size_t, const std::string&) override { return {}; }
  Outcome leaving(std::size_t, const std::string&) override { return {}; }

  std::uint64_t count() const noexcept { return count_; }
  Outcome flush() { return output_.flush(); }

 private:
  const Position& old_;
  const Position& changed_;
  const bool descends_;
  tree::LineOutput output_;
  std::uint64_t count_ = 0;
};

}  // namespace

Outcome printDifferences(Position& old, Position& changed, bool descends, std::uint64_t& count) {
  Comparison comparison(old, changed, descends);
  if (Outcome walked = walkBoth(old, changed, comparison); !walked) return walked;
  count = comparison.count();
  return comparison.flush();
}

}  // namespace teu::graft
