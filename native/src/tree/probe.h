#pragma once

#include "tree/outcome.h"

namespace teu::tree {

/// Tries whether extended attributes of every kind that root can set are kept on a file in a
/// directory: user, trusted, security and POSIX ACLs (xattr(7)). Leaves nothing behind.
Outcome probeAttributes(const char* directory, bool& kept);

}  // namespace teu::tree
