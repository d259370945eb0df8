// Goes through a tree in one fixed order: a directory before what is in it, siblings by the bytes
// of their names. The working directory is always the one that holds the present entry, so paths of
// any length work, and no descriptor stays open however deep the tree is.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "tree/outcome.h"

namespace teu::tree {

/// An entry, looked at without following it.
struct Visited {
  const std::string& path;  ///< from the root of the tree; "." for the root
  const char* name;         ///< in the working directory
  const struct statx& info;

  bool isDirectory() const noexcept { return S_ISDIR(info.stx_mode); }
  bool isFile() const noexcept { return S_ISREG(info.stx_mode); }
  std::uint64_t device() const noexcept {
    return (std::uint64_t{info.stx_dev_major} << 32) | info.stx_dev_minor;
  }
};

class TreeVisitor {
 public:
  virtual ~TreeVisitor() = default;
  /// `enter` is true on call for a directory that would be entered; false leaves it out.
  virtual Outcome visit(const Visited& entry, bool& enter) = 0;
  /// What could not be looked at. EXDEV: something is mounted there. Success goes on without it.
  virtual Outcome unreadable(const std::string& path, const char* syscall, int number) = 0;
};

/// Walks the tree of `root`, on its device only. Fails as the visitor does, and with MOVED if a
/// directory was moved away meanwhile.
Outcome walkTree(const char* root, TreeVisitor& visitor);

}  // namespace teu::tree
