#pragma once

#include <sys/types.h>

#include "union/failures.h"

namespace teu::unionfs {

/// Gives an empty file the data of another: by sharing its blocks if the file system can, or else
/// by copying them. Holes stay holes.
Status copyData(int from, int to, off_t size);

}  // namespace teu::unionfs
