// Goes through two trees at once, in the order of the bytes of their paths.
#pragma once

#include "trees/position.h"

namespace teu::trees {

/// A name that at least one of the trees has, looked at without following it.
struct Pair {
  const std::string& path;      ///< "/usr/lib"; "/" for the root
  const char* name;             ///< in the directory where the walk stands; "." for the root
  std::size_t depth;            ///< of that directory; 0 for the root
  const struct statx* old;      ///< null if it is not in the old tree
  const struct statx* changed;  ///< null if it is not in the changed tree
};

class Visitor {
 public:
  virtual ~Visitor() = default;
  virtual Outcome visit(const Pair& pair) = 0;
  /// The walk has gone into a directory of the changed tree; `name` is in the one above.
  virtual Outcome entered(const char* name, std::size_t depth, const std::string& path) = 0;
  /// The walk is about to leave it.
  virtual Outcome leaving(std::size_t depth, const std::string& path) = 0;
};

/// Visits every name of the changed tree, and of the old one all but what is below a name that is
/// no directory in the changed one. Both stand at their roots; `old` may be one that was never
/// opened, for an empty tree.
///
/// "/etc.conf" comes between "/etc" and "/etc/passwd", as the bytes say. Memory is that of one
/// directory for each level.
Outcome walkBoth(Position& old, Position& changed, Visitor& visitor);

}  // namespace teu::trees
