#include "devices/rule.h"

#include <linux/bpf.h>

#include <charconv>

namespace teu::devices {
namespace {

/// Takes the part before the next colon off a text; all of it if there is none.
std::string_view takePart(std::string_view& text) {
  const std::size_t colon = text.find(':');
  const std::string_view part = text.substr(0, colon);
  text = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  return part;
}

/// @returns False if it is neither a number nor a star.
bool parseNumber(std::string_view text, std::optional<std::uint32_t>& number) {
  if (text == "*") return true;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  number = value;
  return true;
}

std::uint32_t parseAccess(std::string_view text) {
  std::uint32_t access = 0;
  for (const char letter : text) {
    const std::uint32_t bit = letter == 'r'   ? BPF_DEVCG_ACC_READ
                              : letter == 'w' ? BPF_DEVCG_ACC_WRITE
                              : letter == 'm' ? BPF_DEVCG_ACC_MKNOD
                                              : 0;
    if (bit == 0 || (access & bit) != 0) return 0;
    access |= bit;
  }
  return access;
}

}  // namespace

std::optional<Rule> parseRule(std::string_view text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  Rule rule;
  rule.allow = text[0] == '+';
  text.remove_prefix(1);
  const std::string_view type = takePart(text);
  if (type != "a" && type != "b" && type != "c") return std::nullopt;
  rule.type = type[0];
  if (!parseNumber(takePart(text), rule.major)) return std::nullopt;
  if (!parseNumber(takePart(text), rule.minor)) return std::nullopt;
  rule.access = parseAccess(text);
  if (rule.access == 0) return std::nullopt;
  return rule;
}

}  // namespace teu::devices
