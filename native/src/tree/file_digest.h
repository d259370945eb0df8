#pragma once

#include <cstdint>
#include <string>

#include "tree/outcome.h"

namespace teu::tree {

/// SHA-256 of a file's bytes, and how many there are. What was read for it does not stay in the
/// page cache: it is read once, and to see what the disk has.
Outcome digestFile(const char* path, std::string& digest, std::uint64_t& size);

}  // namespace teu::tree
