#pragma once

#include "trees/walk.h"

namespace teu::trees {

/// Reads a file of the same size in both trees until a byte differs. Holes are not read where both
/// have one.
Outcome compareContent(const Position& old, const Position& changed, const Pair& pair, bool& same);

}  // namespace teu::trees
