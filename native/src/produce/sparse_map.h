#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "layer/tar_entry.h"
#include "produce/failures.h"

namespace teu::produce {

/// Where a file has data, and the text that tells it in front of them. Not sparse: one run.
struct SparseMap {
  bool sparse = false;
  std::vector<layer::Segment> segments{};
  std::string text{};           ///< with the padding behind it; empty if it is not sparse
  std::uint64_t dataBytes = 0;  ///< of all segments
};

/// Decides by the content alone, so that a file gives the same tar whether its zeros are stored or
/// a hole: a file of at least 1 MiB that has zeros at a quarter of 64 places is looked through, and
/// is sparse if runs of 64 KiB of zeros are 1 MiB and half of it. Everything else is plain data,
/// which every reader takes.
Outcome mapFile(int fd, std::uint64_t size, const std::string& path, SparseMap& map);

}  // namespace teu::produce
