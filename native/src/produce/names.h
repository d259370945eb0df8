// What of a tree a layer can say, and how.
#pragma once

#include <string>

#include "produce/options.h"
#include "tree/entry_facts.h"

namespace teu::produce {

inline constexpr const char* kWhiteoutPrefix = ".wh.";

/// "/etc/hosts" is "etc/hosts" in a tar, a directory "etc/", the root "./".
std::string memberName(const std::string& path, bool isDirectory);

/// Refuses what could not be unpacked again: paths of more than 4095 bytes, too deep ones, and in a
/// layer names that begin like whiteouts.
Outcome checkPath(const std::string& path, const Options& options);

/// Whether an extended attribute belongs into an image: those of programs, and the capabilities of
/// files. Those of the host's policy and of storage drivers do not, nor do lists of access rights,
/// which are no attributes to most who unpack. A name with "=" cannot be said in a record.
bool isCarried(const tree::Attribute& attribute, tree::EntryType type);

}  // namespace teu::produce
