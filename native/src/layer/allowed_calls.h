#pragma once

#include "layer/failure.h"

namespace teu::layer {

/// Allows from now on, in all threads, only the system calls that applying a layer takes. No thread
/// can start after it.
Outcome restrictSyscalls();

}  // namespace teu::layer
