#include "produce/options.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string_view>

namespace teu::produce {
namespace {

using layer::Compression;

/// More would not fit a command line, and no engine has so many mount points.
constexpr std::size_t kExcludedMax = 1024;

Outcome misused(std::string message) {
  return refused(layer::code::kUsage, std::move(message));
}

template <typename T>
bool parseNumber(std::string_view text, T& value) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

bool parseCompression(std::string_view text, Compression& compression) {
  for (const Compression known : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    if (layer::compressionName(known) != text) continue;
    compression = known;
    return true;
  }
  return false;
}

bool parseForm(std::string_view text, Form& form) {
  form = text == "tree" ? Form::kTree : Form::kLayer;
  return text == "tree" || text == "layer";
}

bool parseExcluded(std::string_view text, std::set<std::string>& excluded) {
  excluded.emplace(text);
  return text.starts_with('/') && excluded.size() <= kExcludedMax;
}

bool parseValue(std::string_view name, std::string_view value, Options& options) {
  if (name == "--form") return parseForm(value, options.form);
  if (name == "--output-fd") return parseNumber(value, options.outputFd);
  if (name == "--compression") return parseCompression(value, options.compression);
  if (name == "--excluded") return parseExcluded(value, options.excluded);
  if (name == "--progress-bytes") return parseNumber(value, options.progressBytes);
  if (name == "--max-bytes") return parseNumber(value, options.limits.bytes);
  if (name == "--max-entries") return parseNumber(value, options.limits.entries);
  if (name == "--max-depth") return parseNumber(value, options.limits.depth);
  if (name == "--cage") {
    options.cageDirectory = value;
    return !value.empty();
  }
  return false;
}

Outcome addTree(std::string_view name, Options& options) {
  if (name != kOld && name != kChanged) return misused("a tree has no known name");
  if (options.has(std::string(name).c_str())) return misused("a tree is there twice");
  options.trees.push_back({.name = std::string(name), .readOnly = true});
  return {};
}

Outcome addMount(std::span<char* const, cage::kMountFields> fields, Options& options) {
  cage::MountCall mount;
  if (options.trees.empty()) return misused("--mount belongs behind a --tree");
  if (!cage::parseMountCall(fields, mount)) return misused("--mount has malformed flags");
  options.trees.back().mounts.push_back(std::move(mount));
  return {};
}

Outcome checkOptions(const Options& options) {
  if (options.cageDirectory.empty()) return misused("--cage is needed");
  if (options.outputFd < 0) return misused("--output-fd is needed");
  if (!options.has(kChanged)) return misused("the changed tree is needed");
  if (options.form == Form::kTree && options.has(kOld)) return misused("the form tree is whole");
  const bool whole = std::none_of(options.trees.begin(), options.trees.end(),
                                  [](const cage::Tree& tree) { return tree.mounts.empty(); });
  return whole ? Outcome{} : misused("a tree has no mount");
}

}  // namespace

bool Options::has(const char* name) const noexcept {
  return std::any_of(trees.begin(), trees.end(),
                     [&](const cage::Tree& tree) { return tree.name == name; });
}

Outcome parseOptions(int count, char** arguments, Options& options) {
  std::span<char*> rest(arguments, static_cast<std::size_t>(count));
  for (rest = rest.subspan(2); !rest.empty();) {
    const std::string_view name = rest[0];
    const std::size_t fields =
        name == "--mount" ? cage::kMountFields : static_cast<std::size_t>(name != "--descends");
    if (rest.size() < fields + 1) return misused(std::string(name) + " lacks a value");
    Outcome read;
    if (name == "--descends") {
      options.descends = true;
    } else if (name == "--tree") {
      read = addTree(rest[1], options);
    } else if (name == "--mount") {
      read = addMount(rest.subspan<1, cage::kMountFields>(), options);
    } else if (!parseValue(name, rest[1], options)) {
      read = misused(std::string(name) + " is unknown or has a malformed value");
    }
    if (!read) return read;
    rest = rest.subspan(fields + 1);
  }
  return checkOptions(options);
}

}  // namespace teu::produce
