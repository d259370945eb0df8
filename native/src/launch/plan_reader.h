#pragma once

#include "launch/arena.h"
#include "launch/plan.h"
#include "sys/result.h"

namespace teu {

/// Decodes what ts/plan-encoder.ts wrote, in the same order, and checks its form. The plan points
/// into `bytes`. Errors: EPROTO with the field as path.
Status readLaunchPlan(const uint8_t* bytes, size_t size, Arena& arena, LaunchPlan& plan) noexcept;

}  // namespace teu
