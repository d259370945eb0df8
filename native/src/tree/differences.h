// What is different between an entry and what its manifest says, in words.
#pragma once

#include <string>

#include "tree/entry_facts.h"

namespace teu::tree {

/// Differences of type, size, target and device; empty for none. Content is not looked at.
std::string describeOtherData(const EntryFacts& wanted, const EntryFacts& present);
/// Differences of owner, mode, time and extended attributes; empty for none.
std::string describeOtherAttributes(const EntryFacts& wanted, const EntryFacts& present);

}  // namespace teu::tree
