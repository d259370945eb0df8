#pragma once

#include <string_view>

namespace teu::produce {

/// Whether all of a text is valid UTF-8 (RFC 3629).
bool isUtf8(std::string_view text) noexcept;

}  // namespace teu::produce
