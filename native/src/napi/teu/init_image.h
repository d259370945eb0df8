#pragma once

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu {

/// teu-init in a sealed memory file: whoever gets at it through /proc/PID/exe can neither change
/// nor grow it, and the installed file is never what runs.
class InitImage {
 public:
  /// Copies the file at `path` and reads the seals back.
  Status load(const char* path) noexcept;
  bool loaded() const noexcept { return static_cast<bool>(file_); }
  int fd() const noexcept { return file_.get(); }

 private:
  UniqueFd file_;
};

}  // namespace teu
