#pragma once

#include "union/filesystem.h"

namespace teu::unionfs {

/// Reads the pseudo links that a mount before this one has left in writable branches.
Status loadPseudoLinks(Tree& tree);

/// Gives every file that was copied up under one of its names all the others, as real links.
Status makePseudoLinksReal(FileSystem& files);

}  // namespace teu::unionfs
