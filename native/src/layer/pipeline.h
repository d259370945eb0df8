#pragma once

#include <functional>
#include <string>

#include "layer/chunk_ring.h"
#include "layer/options.h"

namespace teu::layer {

/// What is known of a blob once all of it went by.
struct BlobFacts {
  std::string digest;  ///< of the blob as it is stored
  std::string diffId;  ///< of the uncompressed tar
  Compression compression = Compression::kNone;
  std::uint64_t blobBytes = 0;
  std::uint64_t tarBytes = 0;
};

/// Consumes the uncompressed tar as consumer 0 of the ring, to its end.
using Sink = std::function<Outcome(ChunkRing&)>;

/// Reads, copies, decompresses and hashes the blob in two threads of its own while `sink` works in
/// the caller's. `ready` runs once all threads have started and before the first byte is read.
Outcome runPipeline(const Options& options, const std::function<Outcome()>& ready, const Sink& sink,
                    BlobFacts& facts);

}  // namespace teu::layer
