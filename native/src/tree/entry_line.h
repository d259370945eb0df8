// The form of a manifest: one line of printable ASCII for each name, fields divided by one blank.
// Bytes of names and values outside '!'..'~', and "%=", are written %XX, so any byte is safe.
//
//   f PATH MODE UID GID SECONDS.NANOSECONDS size=N data=sha256:HEX [x=NAME=VALUE]...
//   d PATH MODE UID GID SECONDS.NANOSECONDS [x=NAME=VALUE]...
//   l ... to=TARGET, c and b ... dev=MAJOR:MINOR, p, s likewise
//   h PATH to=FIRST-PATH
#pragma once

#include <string>
#include <string_view>

#include "tree/entry_facts.h"

namespace teu::tree {

std::string escaped(std::string_view text);
/// False if the text is not what `escaped` writes.
bool unescape(std::string_view text, std::string& plain);

/// `directoryTimes`: otherwise "-" stands for the time of a directory.
std::string formatEntry(const EntryFacts& facts, bool directoryTimes);
/// False if the line is malformed. It has no line feed.
bool parseEntry(std::string_view line, EntryFacts& facts);

}  // namespace teu::tree
