#include "layer/entry_path.h"

namespace teu::layer {
namespace {

constexpr std::string_view kPrefix = ".wh.";
constexpr std::string_view kOpaqueName = ".wh..wh..opq";

}  // namespace

Outcome normalizePath(std::string_view name, const Limits& limits, std::string& path) {
  path.clear();
  if (name.empty()) return refused(code::kBadTar, "the name is empty");
  if (name.front() == '/') return refused(code::kTraversal, "the name is absolute");
  if (name.size() > Limits::kPathBytes) return refused(code::kLimit, "the name is too long");
  std::uint64_t depth = 0;
  while (!name.empty()) {
    const std::size_t slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    name.remove_prefix(slash == std::string_view::npos ? name.size() : slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") return refused(code::kTraversal, "the name goes up by \"..\"");
    // A whiteout is never made as a file: what it hides may have the longest name there is.
    const std::size_t mark = part.starts_with(kPrefix) ? kPrefix.size() : 0;
    if (part.size() > Limits::kNameBytes + mark) {
      return refused(code::kLimit, "a component of the name is longer than 255 bytes");
    }
    if (++depth > limits.depth) {
      return refused(code::kLimit,
                     "the name is deeper than " + std::to_string(limits.depth) + " directories");
    }
    if (!path.empty()) path += '/';
    path += part;
  }
  return {};
}

Outcome classifyPath(const std::string& path, NameKind& kind, std::string& hidden) {
  kind = NameKind::kPlain;
  const std::string_view directory = parentOf(path);
  const std::string_view base = baseOf(path);
  if (directory.starts_with(kPrefix) || directory.find("/.wh.") != std::string_view::npos) {
    return refused(code::kWhiteout, "a directory on the way is named like a whiteout");
  }
  if (!base.starts_with(kPrefix)) return {};
  if (base == kOpaqueName) {
    kind = NameKind::kOpaque;
    hidden = directory;
    return {};
  }
  const std::string_view name = base.substr(kPrefix.size());
  if (name.empty() || name == "." || name == ".." || name.starts_with(kPrefix)) {
    return refused(code::kWhiteout, "the whiteout names nothing that can be hidden");
  }
  kind = NameKind::kWhiteout;
  hidden = joinPath(directory, name);
  return {};
}

std::string_view parentOf(std::string_view path) noexcept {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string_view baseOf(std::string_view path) noexcept {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string joinPath(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty()) path += '/';
  path += name;
  return path;
}

}  // namespace teu::layer
