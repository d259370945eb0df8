#pragma once

#include "layer/pipeline.h"

namespace teu::layer {

struct AppliedLayer {
  BlobFacts blob;
  std::uint64_t entries = 0;
  std::uint64_t contentBytes = 0;
};

/// Writes a layer into the driver's mounts, from inside a cage, and syncs the file system.
Outcome applyLayer(const Options& options, AppliedLayer& applied);

/// Copies a blob, as it is (copyFd), uncompressed (decodedFd) or both, and syncs the copies.
Outcome copyBlob(const Options& options, BlobFacts& facts);

}  // namespace teu::layer
