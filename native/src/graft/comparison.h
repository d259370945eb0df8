#pragma once

#include <cstdint>

#include "graft/names.h"

namespace teu::graft {

/// Longest path that is told; what lies below is told by no line.
inline constexpr std::size_t kToldPathBytes = 16 * 1024;

/// Prints in what `changed` differs from `old`, a line of JSON for each name, in the order of the
/// bytes of their paths: {"kind":"added|removed|content|attributes","path":"/…"}. Of a tree that
/// was removed only its top is told. The root is not told if the old tree was never opened.
Outcome printDifferences(Position& old, Position& changed, bool descends, std::uint64_t& count);

}  // namespace teu::graft
