#pragma once

#include <cstdint>
#include <string>

#include "tree/outcome.h"

namespace teu::graft {

/// Copies a file's content into an empty one. Holes stay holes; blocks are shared where the file
/// system can do that (copy_file_range(2)).
tree::Outcome copyData(int from, int to, std::uint64_t size, const std::string& path);

}  // namespace teu::graft
