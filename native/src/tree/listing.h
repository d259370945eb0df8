#pragma once

#include <cstdint>
#include <string>

#include "tree/entry_facts.h"
#include "tree/line_output.h"
#include "tree/outcome.h"

namespace teu::tree {

/// What a listing of a tree says, and how.
struct ListingOptions {
  FactsWanted wanted{};
  bool directoryTimes = true;
  bool print = true;  ///< otherwise the lines are only hashed
};

struct ListingTotals {
  std::uint64_t entries = 0;
  std::uint64_t bytesRead = 0;
};

/// Writes one line for each name of the tree, see entry_line.h. What cannot be read is a failure.
Outcome listTree(const char* root, const ListingOptions& options, LineOutput& output,
                 ListingTotals& totals);

/// Writes the manifest of a tree to standard output, for `check` and `mend`:
///
///   teu-tree-manifest 1
///   # lines of the caller, from standard input if `withHeader`
///   the listing
///   end sha256:HEX ENTRIES       the digest is that of all bytes before this line
Outcome writeManifest(const char* root, bool withHeader);

}  // namespace teu::tree
