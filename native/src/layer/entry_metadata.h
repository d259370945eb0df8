// Owner, mode and attributes of what was just made.
#pragma once

#include "layer/failure.h"
#include "layer/tar_entry.h"

namespace teu::layer {

/// Refuses attributes that a layer may not carry: all but `user.*` (without overlayfs' own
/// `user.overlay.*`) and a well-formed `security.capability`, and any attribute on what is neither
/// file nor directory.
Outcome checkAttributes(const TarEntry& entry);

/// Gives an open file or directory its owner, mode and attributes, in the order in which none
/// undoes another.
Outcome applyMetadata(int fd, const TarEntry& entry);

/// Takes the user's attributes off a directory that was there before, but those that the entry has:
/// it looks as the layer says, whatever was below.
Outcome dropAttributes(int fd, const TarEntry& entry);

/// Owner and times of a link or node, by name, never following it.
Outcome applyNodeMetadata(int parentFd, const char* name, const TarEntry& entry);

}  // namespace teu::layer
