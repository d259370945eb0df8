#include "btrfs/subvolume_name.h"

#include <algorithm>

namespace teu::btrfs {
namespace {

/// Ids are at most 11 digits in base 36; a folder and the number of a second attempt are short too.
constexpr std::size_t kMaxComponent = 32;

bool isComponent(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.';
  };
  return !text.empty() && text.size() <= kMaxComponent && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace

std::optional<SubvolumeName> parseName(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view folder = text.substr(0, slash);
  const std::string_view leaf = text.substr(slash + 1);
  if (!isComponent(folder) || !isComponent(leaf)) return std::nullopt;
  return SubvolumeName{std::string(folder), std::string(leaf)};
}

}  // namespace teu::btrfs
