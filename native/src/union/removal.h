#pragma once

#include "union/failures.h"

namespace teu::unionfs {

/// Removes all that is in a directory, at any depth.
Status removeContents(int directory);

/// Removes what has this name, a whole tree if it is a directory. Success if there is nothing.
Status removeTree(int parent, const char* name);

}  // namespace teu::unionfs
