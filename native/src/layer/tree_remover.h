#pragma once

#include <string>

#include "layer/directory_resolver.h"
#include "layer/failure.h"

namespace teu::layer {

/// What a removal leaves alone.
enum class Keep {
  kNothing,
  kOwnEntries,  ///< what this layer itself has made: whiteouts hide lower layers only
};

/// Removes `name` in `parent` with all below it, without following links. That it is not there is
/// no failure.
Outcome removeTree(const Directory& parent, const std::string& name, Keep keep,
                   const DirectoryResolver& resolver);

/// Removes what is in the directory `name` of `parent` ("" means parent itself), but not the
/// directory.
Outcome removeChildren(const Directory& parent, const std::string& name, Keep keep,
                       const DirectoryResolver& resolver);

}  // namespace teu::layer
