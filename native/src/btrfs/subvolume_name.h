// Names of what lies in the driver's directory, as requests carry them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace teu::btrfs {

/// `FOLDER/LEAF` below the driver's directory. Both consist of [0-9a-z.] and do not begin with a
/// dot, so no request can name anything else, and a line needs no quoting.
struct SubvolumeName {
  std::string folder{};
  std::string leaf{};
};

/// Nothing if `text` is no such name.
std::optional<SubvolumeName> parseName(std::string_view text);

}  // namespace teu::btrfs
