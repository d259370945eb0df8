#include "layer/json_line.h"

namespace teu::layer {
namespace {

/// Length of the valid UTF-8 sequence at the start of `text`; 0 if there is none.
std::size_t sequenceLength(std::string_view text) {
  const auto at = [&](std::size_t index) { return static_cast<std::uint8_t>(text[index]); };
  const std::uint8_t lead = at(0);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t index = 1; index < length; ++index) {
    if ((at(index) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what is above U+10FFFF.
  if (length > 1) {
    const std::uint8_t second = at(1);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) {
      return 0;
    }
  }
  return length;
}

std::string quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string json = "\"";
  while (!text.empty()) {
    const std::size_t length = sequenceLength(text);
    const auto byte = static_cast<std::uint8_t>(text[0]);
    if (length == 0) {
      json += "\\ufffd";
    } else if (byte == '"' || byte == '\\') {
      json += '\\';
      json += text[0];
    } else if (byte < 0x20 || byte == 0x7f) {
      json += "\\u00";
      json += kHex[byte >> 4];
      json += kHex[byte & 15];
    } else {
      json += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return json + '"';
}

}  // namespace

void JsonLine::addKey(std::string_view key) {
  if (!members_.empty()) members_ += ',';
  members_ += quoted(key) + ':';
}

JsonLine& JsonLine::add(std::string_view key, std::string_view value) {
  addKey(key);
  members_ += quoted(value);
  return *this;
}

JsonLine& JsonLine::add(std::string_view key, std::uint64_t value) {
  addKey(key);
  members_ += std::to_string(value);
  return *this;
}

JsonLine& JsonLine::add(std::string_view key, const std::vector<std::string>& values) {
  addKey(key);
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ",") + quoted(value);
  members_ += '[' + list + ']';
  return *this;
}

}  // namespace teu::layer
