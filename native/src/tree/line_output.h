#pragma once

#include <string>
#include <string_view>

#include "layer/sha256.h"
#include "tree/outcome.h"

namespace teu::tree {

/// Lines to standard output, gathered, and hashed on their way.
class LineOutput {
 public:
  /// Adds a line; a line feed follows. `print` false: it is only hashed.
  void add(std::string_view line, bool print = true);
  /// Adds a line that is not hashed.
  void addUnhashed(std::string_view line);
  /// "sha256:<64 hex digits>" of the lines so far; call once.
  std::string digest() { return hash_.finish(); }
  /// Writes what was gathered. Fails if it, or anything before, could not be written.
  Outcome flush();

 private:
  layer::Sha256 hash_;
  std::string pending_;
  int failed_ = 0;
};

}  // namespace teu::tree
