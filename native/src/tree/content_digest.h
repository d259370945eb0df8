#pragma once

#include <cstdint>
#include <string>

#include "tree/outcome.h"

namespace teu::tree {

/// Digest of a file's content, in which zeros cost nothing: SHA-256 over the blocks of 64 KiB that
/// are not all zero, each after its number (64 bits, little-endian), then 2^64-1 and the size. So
/// it is the same whether zeros are stored or are holes.
///
/// `name` is in the working directory. `bytesRead` grows by what was read.
Outcome digestContent(const char* name, const std::string& path, std::string& digest,
                      std::uint64_t& bytesRead);

}  // namespace teu::tree
