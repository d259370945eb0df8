#pragma once

#include "layer/failure.h"
#include "layer/options.h"

namespace teu::layer {

/// Closes whatever was inherited beyond the descriptors that the options name.
Outcome closeStrangers(const Options& options);

/// Leaves the host: own mount, network, IPC and UTS namespaces; the driver's mounts become the
/// root, and nothing else is reachable by any path. Then no_new_privs, resource limits, and only
/// the capabilities that writing a tree needs.
///
/// Call once, before the first byte of the layer is looked at, single-threaded.
Outcome enterCage(const Options& options);

/// The same for work that needs no file system at all: an empty root.
Outcome enterEmptyCage();

/// Allows from now on, in all threads, only the system calls that applying a layer takes. No thread
/// can start after it.
Outcome restrictSyscalls();

}  // namespace teu::layer
