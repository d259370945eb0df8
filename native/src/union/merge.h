// Puts what is in one branch into the one below it, in place.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "union/failures.h"

namespace teu::unionfs {

/// What was changed: how many entries, and the paths of the first of them.
struct MergeReport {
  std::uint64_t changed = 0;
  std::vector<std::string> paths{};

  void add(const std::string& path);
};

/// Moves the content of `upper` into `lower`, which shows afterwards what the union of the two has
/// shown; `lowest`: nothing is below `lower`, so it needs no whiteouts. `upper` is empty
/// afterwards. Can be done again after it was interrupted at any point. EXDEV: not on one file
/// system.
Status mergeBranch(const std::string& upper, const std::string& lower, bool lowest,
                   MergeReport& report);

/// What is in `upper` and differs from what the branches below it show.
Status listChanges(const std::string& upper, const std::vector<std::string>& lower,
                   MergeReport& report);

}  // namespace teu::unionfs
