#include "tree/differences.h"

#include <cstdio>
#include <map>

namespace teu::tree {
namespace {

class Description {
 public:
  void add(const std::string& subject, const std::string& is, const std::string& was) {
    if (is == was) return;
    if (!text_.empty()) text_ += ", ";
    text_ += subject + ' ' + is + " instead of " + was;
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

std::string octal(unsigned mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", mode);
  return text;
}

std::string timeOf(const EntryFacts& facts) {
  char text[48];
  std::snprintf(text, sizeof text, "%lld.%09u", static_cast<long long>(facts.seconds),
                facts.nanoseconds);
  return text;
}

std::string ownerOf(const EntryFacts& facts) {
  return std::to_string(facts.uid) + ':' + std::to_string(facts.gid);
}

std::string deviceOf(const EntryFacts& facts) {
  return std::to_string(facts.major) + ':' + std::to_string(facts.minor);
}

}  // namespace

std::string describeOtherData(const EntryFacts& wanted, const EntryFacts& present) {
  Description differences;
  if (wanted.type != present.type) {
    differences.add("is", describeType(present.type), describeType(wanted.type));
    return std::move(differences).text();
  }
  differences.add("size", std::to_string(present.size), std::to_string(wanted.size));
  differences.add("target", present.target, wanted.target);
  differences.add("device", deviceOf(present), deviceOf(wanted));
  return std::move(differences).text();
}

std::string describeOtherAttributes(const EntryFacts& wanted, const EntryFacts& present) {
  Description differences;
  differences.add("owner", ownerOf(present), ownerOf(wanted));
  differences.add("mode", octal(present.mode), octal(wanted.mode));
  differences.add("time", timeOf(present), timeOf(wanted));
  // Values can be of any bytes and length, so only what happened to them is told.
  std::map<std::string, std::pair<const std::string*, const std::string*>> values;
  for (const Attribute& one : wanted.attributes) values[one.name].first = &one.value;
  for (const Attribute& one : present.attributes) values[one.name].second = &one.value;
  for (const auto& [name, both] : values) {
    const auto& [was, is] = both;
    if (was != nullptr && is != nullptr && *was == *is) continue;
    differences.add("attribute " + name,
                    is == nullptr    ? "missing"
                    : was == nullptr ? "set"
                                     : "other",
                    was == nullptr ? "none" : "that of the commit");
  }
  return std::move(differences).text();
}

}  // namespace teu::tree
