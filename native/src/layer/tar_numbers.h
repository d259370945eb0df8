// Numbers as tar headers write them: octal text, GNU base-256, PAX decimals. None of them is
// trusted.
#pragma once

#include <cstdint>
#include <ctime>
#include <span>
#include <string_view>

namespace teu::layer {

/// Header field: octal digits padded by spaces or NUL, or base-256 when the first bit is set (two's
/// complement, GNU). An empty field is 0. False if it is malformed or does not fit 63 bits.
bool parseHeaderNumber(std::span<const std::uint8_t> field, std::int64_t& value) noexcept;

/// Decimal digits only, no sign, at most INT64_MAX.
bool parseDecimal(std::string_view text, std::int64_t& value) noexcept;

/// PAX time: seconds with an optional sign and fraction; digits below a nanosecond are cut off.
bool parsePaxTime(std::string_view text, timespec& value) noexcept;

}  // namespace teu::layer
