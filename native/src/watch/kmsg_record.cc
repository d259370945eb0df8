#include "watch/kmsg_record.h"

#include <algorithm>

#include "conversation/words.h"

namespace teu::watch {
namespace {

/// The lower three bits of the priority are its level, the rest the facility (syslog(2)). A process
/// that writes to /dev/kmsg cannot choose 0, the kernel's own.
constexpr unsigned kFacilityShift = 3;

int hexDigit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  return -1;
}

/// Takes the number before the next comma off the front.
std::optional<std::uint64_t> takeNumber(std::string_view& text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto number = conversation::parseNumber(text.substr(0, comma));
  text.remove_prefix(comma + 1);
  return number;
}

/// Takes the text before the next comma off the front.
std::string_view takeWord(std::string_view& text) {
  const std::size_t comma = std::min(text.find(','), text.size());
  const std::string_view word = text.substr(0, comma);
  text.remove_prefix(std::min(comma + 1, text.size()));
  return word;
}

}  // namespace

std::optional<std::string> unescapeKmsg(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      plain += text[at];
      continue;
    }
    if (at + 3 >= text.size() || text[at + 1] != 'x') return std::nullopt;
    const int high = hexDigit(text[at + 2]);
    const int low = hexDigit(text[at + 3]);
    if (high < 0 || low < 0) return std::nullopt;
    plain += static_cast<char>(high * 16 + low);
    at += 3;
  }
  return plain;
}

std::optional<KmsgRecord> parseKmsgRecord(std::string_view raw) {
  const std::size_t colon = raw.find(';');
  if (colon == std::string_view::npos) return std::nullopt;
  // With a comma at its end the time is a field like the others, whether flags follow or not.
  std::string_view fields = raw.substr(0, colon);
  const std::string withEnd = std::string(fields) + ',';
  fields = withEnd;
  const auto priority = takeNumber(fields);
  const auto sequence = takeNumber(fields);
  const auto time = takeNumber(fields);
  if (!priority || !sequence || !time) return std::nullopt;
  const bool isFragment = takeWord(fields) == "c";
  std::string caller;
  while (!fields.empty()) {
    const std::string_view field = takeWord(fields);
    constexpr std::string_view kCaller = "caller=";
    if (field.starts_with(kCaller)) caller = field.substr(kCaller.size());
  }
  std::string_view text = raw.substr(colon + 1);
  text = text.substr(0, text.find('\n'));
  std::optional<std::string> plain = unescapeKmsg(text);
  if (!plain) return std::nullopt;
  return KmsgRecord{.sequence = *sequence,
                    .microseconds = *time,
                    .fromKernel = (*priority >> kFacilityShift) == 0,
                    .isFragment = isFragment,
                    .caller = std::move(caller),
                    .text = std::move(*plain)};
}

}  // namespace teu::watch
