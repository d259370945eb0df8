#include "watch/options.h"

#include <string_view>

#include "conversation/words.h"
#include "watch/pressure_trigger.h"

namespace teu::watch {
namespace {

bool parsePressure(std::string_view text, PressureOptions& options) {
  for (std::size_t index = 0; index < options.waited.size(); ++index) {
    const bool isLast = index + 1 == options.waited.size();
    const std::size_t end = isLast ? text.size() : text.find(',');
    if (end == std::string_view::npos) return false;
    const auto waited = conversation::parseNumber(text.substr(0, end));
    if (!waited || *waited > kWindowMicroseconds) return false;
    options.waited[index] = *waited;
    text.remove_prefix(isLast ? end : end + 1);
  }
  return text.empty();
}

bool parseLevel(std::string_view text, PressureOptions& options) {
  options.level = text;
  return text == "low" || text == "medium" || text == "critical";
}

bool parseKmsg(std::string_view text, std::optional<std::uint64_t>& from) {
  from = conversation::parseNumber(text);
  return from.has_value() || text == "off";
}

bool parsePath(std::string_view text, std::string& path) {
  path = text;
  return path.starts_with('/');
}

bool parseOption(std::string_view argument, Options& options) {
  const std::size_t sign = argument.find('=');
  if (sign == std::string_view::npos) return false;
  const std::string_view name = argument.substr(0, sign);
  const std::string_view value = argument.substr(sign + 1);
  if (name == "memory") return parsePath(value, options.memory);
  if (name == "pids") return parsePath(value, options.pids);
  if (name == "unified") return parsePath(value, options.unified);
  if (name == "kmsg") return parseKmsg(value, options.kmsgFrom);
  if (name == "pressure") return parsePressure(value, options.pressure);
  return name == "level" && parseLevel(value, options.pressure);
}

}  // namespace

std::optional<Options> parseOptions(int count, char** arguments) {
  Options options;
  options.kmsgFrom = 0;
  for (int index = 1; index < count; ++index) {
    if (!parseOption(arguments[index], options)) return std::nullopt;
  }
  return options;
}

}  // namespace teu::watch
