#include "layer/options.h"

#include <charconv>
#include <span>
#include <string_view>

namespace teu::layer {
namespace {

template <typename T>
bool parseNumber(std::string_view text, T& value) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

bool parseCompression(std::string_view text, Compression& compression) {
  for (const Compression known :
       {Compression::kAuto, Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    if (compressionName(known) == text) {
      compression = known;
      return true;
    }
  }
  return false;
}

bool parseValue(std::string_view name, std::string_view value, Options& options) {
  if (name == "--blob-fd") return parseNumber(value, options.blobFd);
  if (name == "--blob-offset") return parseNumber(value, options.blobOffset);
  if (name == "--blob-length") return parseNumber(value, options.blobLength);
  if (name == "--growth-fd") return parseNumber(value, options.growthFd);
  if (name == "--copy-fd") return parseNumber(value, options.copyFd);
  if (name == "--decoded-fd") return parseNumber(value, options.decodedFd);
  if (name == "--compression") return parseCompression(value, options.compression);
  if (name == "--max-bytes") return parseNumber(value, options.limits.bytes);
  if (name == "--max-entries") return parseNumber(value, options.limits.entries);
  if (name == "--max-ratio") return parseNumber(value, options.limits.ratio);
  if (name == "--ratio-floor") return parseNumber(value, options.limits.ratioFloor);
  if (name == "--max-header-bytes") return parseNumber(value, options.limits.headerBytes);
  if (name == "--progress-bytes") return parseNumber(value, options.progressBytes);
  if (name == "--max-depth") return parseNumber(value, options.limits.depth);
  if (name == "--cage") {
    options.cageDirectory = value;
    return !value.empty();
  }
  return false;
}

/// Arguments that follow an option.
std::size_t fieldsOf(std::string_view name) {
  if (name == "--standalone") return 0;
  return name == "--mount" ? cage::kMountFields : 1;
}

Outcome checkOptions(const Options& options) {
  if (options.blobFd < 0) return refused(code::kUsage, "--blob-fd is needed");
  if (options.growthFd >= 0 && options.blobLength == UINT64_MAX) {
    return refused(code::kUsage, "--growth-fd needs --blob-length");
  }
  const bool apply = options.command == Command::kApply;
  if (apply && (options.cageDirectory.empty() || options.mounts.empty())) {
    return refused(code::kUsage, "apply needs --cage and at least one --mount");
  }
  return {};
}

}  // namespace

Outcome parseOptions(int count, char** arguments, Options& options) {
  std::span<char*> rest(arguments, static_cast<std::size_t>(count));
  const std::string_view command = rest.size() > 1 ? rest[1] : "";
  if (command != "apply" && command != "copy") {
    return refused(code::kUsage, "the first argument is apply or copy");
  }
  options.command = command == "apply" ? Command::kApply : Command::kCopy;
  rest = rest.subspan(2);
  while (!rest.empty()) {
    const std::string_view name = rest[0];
    const std::size_t fields = fieldsOf(name);
    if (rest.size() < fields + 1)
      return refused(code::kUsage, std::string(name) + " lacks a value");
    if (name == "--mount") {
      cage::MountCall mount;
      if (!cage::parseMountCall(rest.subspan<1, cage::kMountFields>(), mount)) {
        return refused(code::kUsage, "--mount has malformed flags");
      }
      options.mounts.push_back(std::move(mount));
    } else if (fields == 0) {
      options.standalone = true;
    } else if (!parseValue(name, rest[1], options)) {
      return refused(code::kUsage, std::string(name) + " is unknown or has a malformed value");
    }
    rest = rest.subspan(fields + 1);
  }
  return checkOptions(options);
}

}  // namespace teu::layer
