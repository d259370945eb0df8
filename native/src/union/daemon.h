#pragma once

#include <string>

#include "union/failures.h"

namespace teu::unionfs {

/// As many open files as allowed, and files of any size.
void raiseLimits();

/// Splits into a process that goes on, in a session of its own and without any descriptor of the
/// caller, and one that waits here until the other has reported, tells its caller, and exits.
class Daemon {
 public:
  /// Returns in the process that goes on.
  Status begin();
  /// Reports that all is well, or a line that says what is not.
  void reportReady() { report("ready\n"); }
  void reportFailure(const std::string& line) { report(line); }

 private:
  void report(const std::string& line);
  [[noreturn]] static void waitForReport(int reports);

  UniqueFd reports_{};
};

}  // namespace teu::unionfs
