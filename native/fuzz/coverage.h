// Which edges of the code under test a run has taken, as -fsanitize-coverage=trace-pc of gcc tells.
#pragma once

#include <cstddef>

namespace teu::fuzz {

/// Forgets the edges of the last run.
void beginRun();
/// Whether the run took an edge, or took one so much more often, as none did before.
bool foundNew();
/// Edges, with how often they were taken (in powers of two), that were ever seen.
std::size_t seenCount();

}  // namespace teu::fuzz
