#include "dm/pool_text.h"

#include <algorithm>
#include <vector>

#include "conversation/words.h"

namespace teu::dm {
namespace {

using conversation::parseNumber;

std::vector<std::string_view> split(std::string_view text, char divider) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = std::min(text.find(divider), text.size());
    parts.push_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

/// "3/1024", or "252:3".
bool parsePair(std::string_view text, char divider, std::uint64_t& first, std::uint64_t& second) {
  const std::vector<std::string_view> parts = split(text, divider);
  if (parts.size() != 2) return false;
  const auto [left, right] = std::pair(parseNumber(parts[0]), parseNumber(parts[1]));
  if (!left || !right) return false;
  first = *left;
  second = *right;
  return true;
}

std::optional<PoolMode> parseMode(std::string_view word) {
  if (word == "rw") return PoolMode::writable;
  if (word == "out_of_data_space") return PoolMode::noSpace;
  // Without room for metadata a pool only reads, too.
  if (word == "ro" || word == "out_of_metadata_space") return PoolMode::readOnly;
  return std::nullopt;
}

std::optional<DeviceNumber> parseDevice(std::string_view text) {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  if (!parsePair(text, ':', major, minor) || major > UINT32_MAX || minor > UINT32_MAX) return {};
  return DeviceNumber{static_cast<unsigned>(major), static_cast<unsigned>(minor)};
}

}  // namespace

std::optional<PoolStatus> parsePoolStatus(std::string_view text) {
  PoolStatus status;
  if (text == "Fail") {
    status.mode = PoolMode::failed;
    return status;
  }
  const std::vector<std::string_view> words = split(text, ' ');
  if (words.size() < 7) return {};
  const std::optional<std::uint64_t> transaction = parseNumber(words[0]);
  const std::optional<PoolMode> mode = parseMode(words[4]);
  const std::optional<std::uint64_t> held = words[3] == "-" ? 0 : parseNumber(words[3]);
  if (!transaction || !mode || !held ||
      !parsePair(words[1], '/', status.usedMetadata, status.totalMetadata) ||
      !parsePair(words[2], '/', status.usedData, status.totalData)) {
    return {};
  }
  status.transaction = *transaction;
  status.mode = *mode;
  status.heldRoot = *held;
  const auto has = [&](std::string_view word) {
    return std::find(words.begin() + 5, words.end(), word) != words.end();
  };
  status.isQueueing = has("queue_if_no_space");
  status.needsCheck = has("needs_check");
  return status;
}

std::optional<PoolTable> parsePoolTable(std::string_view text) {
  const std::vector<std::string_view> words = split(text, ' ');
  if (words.size() < 4) return {};
  const std::optional<DeviceNumber> metadata = parseDevice(words[0]);
  const std::optional<DeviceNumber> data = parseDevice(words[1]);
  const std::optional<std::uint64_t> block = parseNumber(words[2]);
  if (!metadata || !data || !block) return {};
  return PoolTable{*metadata, *data, *block};
}

}  // namespace teu::dm
