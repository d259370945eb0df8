#pragma once

#include <string>

#include "tree/outcome.h"

namespace teu::graft {

/// Removes a name of a directory with all below it, following no link. `path` is for failures. That
/// it is not there is no failure.
tree::Outcome removeTree(int directory, const char* name, const std::string& path);

}  // namespace teu::graft
