#include "produce/utf8.h"

#include <cstddef>
#include <cstdint>

namespace teu::produce {
namespace {

/// Bytes of the sequence that begins so, and the least code point that needs them; 0 for none.
std::size_t lengthOf(std::uint8_t lead, std::uint32_t& bits, std::uint32_t& least) {
  if (lead < 0x80) return bits = lead, least = 0, 1;
  if ((lead & 0xe0) == 0xc0) return bits = lead & 0x1f, least = 0x80, 2;
  if ((lead & 0xf0) == 0xe0) return bits = lead & 0x0f, least = 0x800, 3;
  if ((lead & 0xf8) == 0xf0) return bits = lead & 0x07, least = 0x10000, 4;
  return 0;
}

}  // namespace

bool isUtf8(std::string_view text) noexcept {
  while (!text.empty()) {
    std::uint32_t bits = 0;
    std::uint32_t least = 0;
    const std::size_t length = lengthOf(static_cast<std::uint8_t>(text[0]), bits, least);
    if (length == 0 || length > text.size()) return false;
    for (std::size_t at = 1; at < length; ++at) {
      const auto byte = static_cast<std::uint8_t>(text[at]);
      if ((byte & 0xc0) != 0x80) return false;
      bits = bits << 6 | (byte & 0x3f);
    }
    const bool isSurrogate = bits >= 0xd800 && bits < 0xe000;
    if (bits < least || bits > 0x10ffff || isSurrogate) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace teu::produce
