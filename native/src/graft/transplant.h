#pragma once

#include <cstdint>

#include "graft/names.h"

namespace teu::graft {

/// Applies to the tree at `target` all in which `changed` differs from `old`; all other names stay
/// as they are there. All three stand at their roots. Ends with all of it on the disk.
///
/// - A name that was added, or has other content, is copied and replaces what has its name; only
/// two
///   directories become one. Directories that it needs and the target does not have are made like
///   those of the changed tree, in place of what is no directory.
/// - A name that was removed is removed, with all that the target has below it.
/// - Of a name with other attributes only these are set, and content stays. If the target does not
///   have it, or as another type, it is copied.
///
/// `changedCount` counts the names that were written, changed or removed.
Outcome transplant(Position& old, Position& changed, Position& target, bool descends,
                   std::uint64_t& changedCount);

}  // namespace teu::graft
