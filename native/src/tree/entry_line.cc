#include "tree/entry_line.h"

#include <charconv>
#include <cstdio>
#include <optional>

namespace teu::tree {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";
constexpr std::string_view kTypes = "fdlcbpsh";

int hexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::string formatTime(const EntryFacts& facts) {
  char text[48];
  std::snprintf(text, sizeof text, "%lld.%09u", static_cast<long long>(facts.seconds),
                facts.nanoseconds);
  return text;
}

template <typename T>
bool parseNumber(std::string_view text, T& value, int base = 10) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return !text.empty() && parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

/// Takes what stands before the next divider.
std::string_view takeUntil(std::string_view& rest, char divider) {
  const std::size_t end = rest.find(divider);
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return taken;
}

bool parseTime(std::string_view text, EntryFacts& facts) {
  const std::string_view seconds = takeUntil(text, '.');
  return parseNumber(seconds, facts.seconds) && text.size() == 9 &&
         parseNumber(text, facts.nanoseconds);
}

bool parseAttribute(std::string_view text, EntryFacts& facts) {
  Attribute attribute;
  const std::string_view name = takeUntil(text, '=');
  if (!unescape(name, attribute.name) || !unescape(text, attribute.value)) return false;
  facts.attributes.push_back(std::move(attribute));
  return true;
}

bool parseField(std::string_view field, EntryFacts& facts) {
  const std::string_view key = takeUntil(field, '=');
  if (key == "size") return parseNumber(field, facts.size);
  if (key == "to") return unescape(field, facts.target);
  if (key == "x") return parseAttribute(field, facts);
  if (key == "data") {
    facts.content = field;
    return true;
  }
  if (key != "dev") return false;
  const std::string_view major = takeUntil(field, ':');
  return parseNumber(major, facts.major) && parseNumber(field, facts.minor);
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte > 0x20 && byte < 0x7f && byte != '%' && byte != '=') {
      line += character;
    } else {
      line += '%';
      line += kHex[byte >> 4];
      line += kHex[byte & 15];
    }
  }
  return line;
}

bool unescape(std::string_view text, std::string& plain) {
  plain.clear();
  for (std::size_t at = 0; at < text.size(); at += 1) {
    if (text[at] != '%') {
      plain += text[at];
      continue;
    }
    if (text.size() - at < 3) return false;
    const int high = hexValue(text[at + 1]);
    const int low = hexValue(text[at + 2]);
    if (high < 0 || low < 0) return false;
    plain += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return true;
}

std::string formatEntry(const EntryFacts& facts, bool directoryTimes) {
  std::string line(1, static_cast<char>(facts.type));
  line += ' ' + escaped(facts.path);
  if (facts.type == EntryType::kOtherName) return line + " to=" + escaped(facts.target);
  char fixed[64];
  std::snprintf(fixed, sizeof fixed, " %04o %llu %llu ", facts.mode,
                static_cast<unsigned long long>(facts.uid),
                static_cast<unsigned long long>(facts.gid));
  line += fixed;
  line += facts.type == EntryType::kDirectory && !directoryTimes ? "-" : formatTime(facts);
  if (facts.type == EntryType::kFile) {
    line += " size=" + std::to_string(facts.size) + " data=" + facts.content;
  }
  if (facts.type == EntryType::kLink) line += " to=" + escaped(facts.target);
  if (facts.isDevice()) {
    line += " dev=" + std::to_string(facts.major) + ':' + std::to_string(facts.minor);
  }
  for (const Attribute& attribute : facts.attributes) {
    line += " x=" + escaped(attribute.name) + '=' + escaped(attribute.value);
  }
  return line;
}

bool parseEntry(std::string_view line, EntryFacts& facts) {
  facts = EntryFacts{};
  const std::string_view type = takeUntil(line, ' ');
  if (type.size() != 1 || kTypes.find(type[0]) == std::string_view::npos) return false;
  facts.type = static_cast<EntryType>(type[0]);
  if (!unescape(takeUntil(line, ' '), facts.path) || facts.path.empty()) return false;
  if (facts.type != EntryType::kOtherName) {
    if (!parseNumber(takeUntil(line, ' '), facts.mode, 8)) return false;
    if (!parseNumber(takeUntil(line, ' '), facts.uid)) return false;
    if (!parseNumber(takeUntil(line, ' '), facts.gid)) return false;
    if (!parseTime(takeUntil(line, ' '), facts)) return false;
  }
  while (!line.empty()) {
    if (!parseField(takeUntil(line, ' '), facts)) return false;
  }
  return true;
}

}  // namespace teu::tree
