// Failures of teu-tree have the form of those of teu-layer.
#pragma once

#include <string>
#include <utility>

#include "layer/failure.h"

namespace teu::tree {

using layer::Failure;
using layer::Outcome;
using layer::sysFailure;

namespace code {
inline constexpr const char* kUsage = "USAGE";
inline constexpr const char* kSyscall = "SYSCALL";
inline constexpr const char* kMoved = "MOVED";  ///< a directory was moved while it was walked
inline constexpr const char* kDamagedManifest = "DAMAGED_MANIFEST";
}  // namespace code

/// A system call failed for `path`; `step` says what it was for.
inline Outcome failureAt(const char* syscall, const char* step, const std::string& path,
                         int number) {
  return sysFailure(syscall, step, number).at(path, 0);
}

}  // namespace teu::tree
