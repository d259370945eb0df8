#pragma once

#include "pack/chunk_filler.h"
#include "pack/options.h"
#include "pack/plan_reader.h"

namespace teu::pack {

/// Stable names of what is wrong with a blob; the service maps them to its error reasons.
namespace code {
inline constexpr const char* kMismatch = "DIGEST_MISMATCH";
inline constexpr const char* kMissing = "BLOB_MISSING";
}  // namespace code

/// Reads all pieces of the plan into the ring. Ends early, without failure, once a consumer has
/// given up. A blob that is not what its name says fails with its digest as the entry, and in the
/// message what it has instead.
Outcome collectPieces(const Options& options, PlanReader& plan, ChunkFiller& filler);

}  // namespace teu::pack
