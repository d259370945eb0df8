#pragma once

#include "produce/failures.h"

namespace teu::produce {

/// Allows from now on, in all threads, only the system calls that making a layer takes. No thread
/// can start after it.
Outcome restrictSyscalls();

}  // namespace teu::produce
