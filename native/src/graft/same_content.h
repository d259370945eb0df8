#pragma once

#include "graft/walk.h"

namespace teu::graft {

/// Reads a file of the same size in both trees until a byte differs. Holes are not read where both
/// have one.
Outcome compareContent(const Position& old, const Position& changed, const Pair& pair, bool& same);

}  // namespace teu::graft
