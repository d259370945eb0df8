#pragma once

#include <string>
#include <vector>

#include "cage/cage.h"
#include "tree/outcome.h"

namespace teu::graft {

enum class Command { kCompare, kTransplant };

/// Names of the trees, and of their directories in the cage.
inline constexpr const char* kOld = "old";
inline constexpr const char* kChanged = "changed";
inline constexpr const char* kNew = "new";

struct Options {
  Command command = Command::kCompare;
  std::string cageDirectory{};
  std::vector<cage::Tree> trees{};
  bool descends = false;

  bool has(const char* tree) const noexcept;
};

/// Reads the command line; see kUsageText in main.cc.
tree::Outcome parseOptions(int count, char** arguments, Options& options);

}  // namespace teu::graft
