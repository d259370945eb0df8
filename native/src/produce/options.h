#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "cage/cage.h"
#include "layer/decoder.h"
#include "layer/limits.h"
#include "produce/failures.h"

namespace teu::produce {

/// Names of the trees, and of their directories in the cage.
inline constexpr const char* kOld = "old";
inline constexpr const char* kChanged = "changed";

enum class Form {
  kLayer,  ///< a layer: names that mean something to those who apply it are refused
  kTree,   ///< a tar of a tree that may be written to meanwhile, for people
};

struct Options {
  Form form = Form::kLayer;
  std::string cageDirectory{};
  std::vector<cage::Tree> trees{};
  bool descends = false;
  int outputFd = -1;
  layer::Compression compression = layer::Compression::kNone;
  std::set<std::string> excluded{};  ///< "/etc/hosts": left out if it was added and is empty
  std::uint64_t progressBytes = 0;   ///< a line of progress each time so much was made; 0 for none
  layer::Limits limits{};

  bool has(const char* tree) const noexcept;
};

/// Reads the command line behind "produce"; see kUsageText in command.cc.
Outcome parseOptions(int count, char** arguments, Options& options);

}  // namespace teu::produce
