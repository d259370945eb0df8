#pragma once

#include "init/launch_report.h"
#include "launch/plan.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu {

/// The supervisor's side of a program that is being set up.
struct SpawnedProgram {
  int pid = 0;
  UniqueFd pidfd;
  UniqueFd sync;            ///< ends when the program was executed, or died before
  UniqueFd output;          ///< read end, unset with a terminal
  UniqueFd error;           ///< read end, unset with a terminal
  UniqueFd input;           ///< write end, if the plan has any
  UniqueFd mountNamespace;  ///< keeps the mounts until the exit was reported; unset for an exec
};

/// Makes the child that carries out the plan, with its pipes.
Status spawnProgram(const LaunchPlan& plan, LaunchReport& report, SpawnedProgram& program) noexcept;

}  // namespace teu
