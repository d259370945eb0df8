#pragma once

#include "tree/options.h"
#include "tree/outcome.h"

namespace teu::tree {

/// Compares a tree with its manifest and prints, one line each, what differs. Fields are divided by
/// one blank and escaped as in a manifest:
///
///   KIND found|mended|failed PATH DETAIL     KIND: missing changed-data changed-attributes extra
///   end ENTRIES BYTES-READ
///
/// Without `readData` the content of a file is read only if its time differs. `mend` also sets back
/// owner, mode, time and attributes of what has its content still; `failed` says that this could
/// not be done, and it ends with all of it on the disk. A tree that cannot be read in places is
/// found to have changed there; only what makes the answer worthless is a failure.
Outcome compareTree(const Options& options);

}  // namespace teu::tree
