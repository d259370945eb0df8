#include "layer/tar_numbers.h"

#include <charconv>

namespace teu::layer {
namespace {

bool parseBase256(std::span<const std::uint8_t> field, std::int64_t& value) noexcept {
  const bool negative = (field[0] & 0x40) != 0;
  std::uint64_t bits = negative ? ~std::uint64_t{0} : 0;
  for (std::size_t at = 0; at < field.size(); ++at) {
    // Of the first byte, the top bit is the marker and not part of the number.
    const std::uint8_t byte = at > 0     ? field[at]
                              : negative ? static_cast<std::uint8_t>(field[0] | 0x80)
                                         : static_cast<std::uint8_t>(field[0] & 0x7f);
    const std::uint64_t top = bits >> 55;
    if (top != 0 && top != 0x1ff) return false;
    bits = bits << 8 | byte;
  }
  value = static_cast<std::int64_t>(bits);
  return (value < 0) == negative;
}

}  // namespace

bool parseHeaderNumber(std::span<const std::uint8_t> field, std::int64_t& value) noexcept {
  value = 0;
  if ((field[0] & 0x80) != 0) return parseBase256(field, value);
  std::size_t at = 0;
  while (at < field.size() && field[at] == ' ') ++at;
  for (; at < field.size() && field[at] >= '0' && field[at] <= '7'; ++at) {
    if (value > INT64_MAX >> 3) return false;
    value = value << 3 | (field[at] - '0');
  }
  for (; at < field.size(); ++at) {
    if (field[at] != ' ' && field[at] != 0) return false;
  }
  return true;
}

bool parseDecimal(std::string_view text, std::int64_t& value) noexcept {
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc{} && parsed.ptr == end;
}

bool parsePaxTime(std::string_view text, timespec& value) noexcept {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  std::int64_t seconds = 0;
  if (!parseDecimal(text.substr(0, dot), seconds)) return false;
  long nanoseconds = 0;
  if (dot != std::string_view::npos) {
    long unit = 100'000'000;
    for (const char digit : text.substr(dot + 1)) {
      if (digit < '0' || digit > '9') return false;
      nanoseconds += (digit - '0') * unit;
      unit /= 10;
    }
  }
  if (negative && nanoseconds > 0) {
    value = {-seconds - 1, 1'000'000'000 - nanoseconds};
  } else {
    value = {negative ? -seconds : seconds, nanoseconds};
  }
  return true;
}

}  // namespace teu::layer
