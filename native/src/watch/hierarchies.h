// The cgroup hierarchies of the host that are looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu::watch {

/// Roots of hierarchies, held open; one that is not there is empty.
struct Hierarchies {
  UniqueFd memory{};   ///< version 1
  UniqueFd pids{};     ///< version 1
  UniqueFd unified{};  ///< version 2, with whatever controllers it has
};

/// Whether a path can be the one of a group below a hierarchy's root: relative, printable, no "..",
/// not too long.
bool isGroupPath(std::string_view path);

/// Opens the directory of a group, whatever it is made of; nothing leads out of the hierarchy.
Result<UniqueFd> openGroup(const UniqueFd& root, const std::string& path);

/// A file of a group, whole; nothing if it is not there, or too large to be one of those with
/// figures.
std::optional<std::string> readFile(int group, const char* name);

/// The first number in a file of a group; "max" and what stands for no limit on version 1 is
/// nothing.
std::optional<std::uint64_t> readNumber(int group, const char* name);

/// The number of a line "KEY NUMBER".
std::optional<std::uint64_t> valueOf(std::string_view text, std::string_view key);

}  // namespace teu::watch
