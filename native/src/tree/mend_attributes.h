#pragma once

#include "tree/entry_facts.h"
#include "tree/outcome.h"

namespace teu::tree {

/// Gives an entry in the working directory the owner, mode, extended attributes and time that
/// `wanted` says; `present` is how it is now.
Outcome mendAttributes(const char* name, const EntryFacts& wanted, const EntryFacts& present);

}  // namespace teu::tree
