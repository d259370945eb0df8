#pragma once

#include "tree/entry_facts.h"
#include "trees/walk.h"

namespace teu::trees {

enum class Kind { kNone, kAdded, kRemoved, kContent, kAttributes };

/// In what a name differs between the old tree and the changed one.
struct Difference {
  Kind kind = Kind::kNone;
  tree::EntryFacts old{};      ///< set with kAttributes
  tree::EntryFacts changed{};  ///< set with kAttributes
};

/// Finds the difference of a name. Type, size, target, device number and every byte of a file are
/// content; owner, mode, extended attributes and, of all but directories, the time are attributes.
/// The time of a directory follows from what is made and removed in it.
///
/// A file is not read if both trees show the same inode. `descends` says that the changed tree was
/// made from the old one, whose files had been written before: then the same inode number, size and
/// times are enough, as no program can set the time of the last change of an inode (inode(7)).
/// Other files of the same size are read in full.
Outcome findDifference(const Pair& pair, const Position& old, const Position& changed,
                       bool descends, Difference& difference);

/// Reads what describes an entry, without its content.
Outcome readEntry(const Position& position, const char* name, const std::string& path,
                  const struct statx& info, tree::EntryFacts& facts);

}  // namespace teu::trees
