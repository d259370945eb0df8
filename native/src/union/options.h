#pragma once

#include <string>

#include "union/session.h"

namespace teu::unionfs {

/// Reads the arguments after `mount`. Otherwise the reason why they mean nothing, in `wrong`.
bool parseMountOptions(int count, char** arguments, MountOptions& options, std::string& wrong);

}  // namespace teu::unionfs
