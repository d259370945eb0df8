#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu {

struct StartedSupervisor {
  int pid = 0;
  UniqueFd control;
};

/// Runs `initImage` with a plan, as no child of this process: it outlives it, and nobody has to
/// reap it.
Result<StartedSupervisor> startSupervisor(int initImage, const uint8_t* plan, size_t planSize,
                                          const char* title) noexcept;

/// Collects a supervisor if it has ended, without blocking. True: it is gone.
bool reapSupervisor(int pid) noexcept;

}  // namespace teu
