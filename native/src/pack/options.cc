#include "pack/options.h"

#include <charconv>
#include <limits>
#include <string>
#include <string_view>

namespace teu::pack {
namespace {

bool parseNumber(std::string_view text, std::uint64_t& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end;
}

bool parseDescriptor(std::string_view text, int& value) {
  std::uint64_t number = 0;
  if (!parseNumber(text, number) || number > std::numeric_limits<int>::max()) return false;
  value = static_cast<int>(number);
  return true;
}

Outcome misused(std::string_view option) {
  return layer::refused(layer::code::kUsage, "malformed option " + std::string(option));
}

}  // namespace

Outcome parseOptions(int count, char** arguments, Options& options) {
  for (int at = 1; at < count; ++at) {
    const std::string_view option = arguments[at];
    if (option == "--file") {
      options.file = true;
      continue;
    }
    const std::string_view value = at + 1 < count ? arguments[++at] : "";
    const bool fits = option == "--blobs-fd"         ? parseDescriptor(value, options.blobs)
                      : option == "--output-fd"      ? parseDescriptor(value, options.output)
                      : option == "--size"           ? parseNumber(value, options.size)
                      : option == "--progress-bytes" ? parseNumber(value, options.progressBytes)
                                                     : false;
    if (!fits) return misused(option);
  }
  if (options.blobs < 0 || options.output < 0) return misused("--blobs-fd or --output-fd");
  return {};
}

}  // namespace teu::pack
