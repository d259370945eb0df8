// Names in a layer: what is refused before the file system is asked anything.
#pragma once

#include <string>
#include <string_view>

#include "layer/failure.h"
#include "layer/limits.h"

namespace teu::layer {

/// Makes "./a//b/" into "a/b" and "." into "". Refuses absolute names, "..", over-long and
/// over-deep ones.
Outcome normalizePath(std::string_view name, const Limits& limits, std::string& path);

enum class NameKind { kPlain, kWhiteout, kOpaque };

/// Tells whether a path asks for something of a lower layer to be hidden (image-spec, layer.md).
/// `hidden` receives the path that a whiteout hides, or the directory that an opaque one empties.
/// Names that begin with ".wh." and are neither are MALFORMED_WHITEOUT, as are such names in the
/// middle of a path.
Outcome classifyPath(const std::string& path, NameKind& kind, std::string& hidden);

/// "" for names at the top.
std::string_view parentOf(std::string_view path) noexcept;
std::string_view baseOf(std::string_view path) noexcept;
std::string joinPath(std::string_view directory, std::string_view name);

}  // namespace teu::layer
