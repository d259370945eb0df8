#include "watch/hierarchies.h"

#include <fcntl.h>
#include <linux/openat2.h>

#include <algorithm>
#include <array>

#include "conversation/words.h"
#include "sys/files.h"

namespace teu::watch {
namespace {

constexpr std::size_t kLongestPath = 3000;
/// Files with figures have some lines; memory.stat, the longest, has 2 KiB.
constexpr std::size_t kFileBytes = 4096;
/// Version 1 has no word for "no limit": it gives the most pages that a counter can count.
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 62;

}  // namespace

bool isGroupPath(std::string_view path) {
  const bool printable = std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7f; });
  const std::string whole = '/' + std::string(path) + '/';
  return printable && !path.empty() && path.size() <= kLongestPath &&
         whole.find("//") == std::string::npos && whole.find("/../") == std::string::npos;
}

Result<UniqueFd> openGroup(const UniqueFd& root, const std::string& path) {
  return sys::openResolved(root.get(), path.c_str(), O_RDONLY | O_DIRECTORY, 0,
                           RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

std::optional<std::string> readFile(int group, const char* name) {
  std::array<char, kFileBytes> buffer;
  Result<size_t> size = sys::readSmallFile(group, name, buffer.data(), buffer.size());
  if (!size) return std::nullopt;
  return std::string(buffer.data(), size.value());
}

std::optional<std::uint64_t> readNumber(int group, const char* name) {
  const auto text = readFile(group, name);
  if (!text) return std::nullopt;
  const auto number = conversation::parseNumber(text->substr(0, text->find('\n')));
  return number && *number < kNoLimit ? number : std::nullopt;
}

std::optional<std::uint64_t> valueOf(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.starts_with(key) && line.substr(key.size()).starts_with(' ')) {
      return conversation::parseNumber(line.substr(key.size() + 1));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

}  // namespace teu::watch
