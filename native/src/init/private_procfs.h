#pragma once

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu {

/// A procfs of our own, mounted nowhere. Writes to /proc go through it, never through the
/// container's /proc, which its image or a neighbour may have replaced.
class PrivateProcfs {
 public:
  /// Writes `value` to the file at `path` (relative, e.g. `self/oom_score_adj`); no symbolic link
  /// below `self`.
  Status write(const char* path, const char* value) noexcept;

 private:
  Status ensureOpen() noexcept;

  UniqueFd mount_;
};

}  // namespace teu
