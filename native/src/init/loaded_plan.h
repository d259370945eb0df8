// A launch plan in memory, read from a file that nobody else writes to.
#pragma once

#include "launch/plan.h"
#include "sys/memory.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu {

/// The plan's bytes and the lists that point into them.
struct LoadedPlan {
  Mapping bytes;
  Mapping lists;
  LaunchPlan plan{};
};

Status loadPlan(UniqueFd&& file, LoadedPlan& loaded) noexcept;

}  // namespace teu
