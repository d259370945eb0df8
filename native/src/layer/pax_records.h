#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "layer/failure.h"

namespace teu::layer {

struct PaxRecord {
  std::string_view key;
  std::string_view value;
};

/// Splits the body of a PAX extended header ("<length> <key>=<value>\n", POSIX pax). The views
/// point into `body`.
Outcome parsePaxRecords(std::string_view body, std::vector<PaxRecord>& records);

}  // namespace teu::layer
