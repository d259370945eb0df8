#pragma once

#include <span>
#include <string_view>

#include "fuzz/mutator.h"

namespace teu::fuzz {

/// Code that is run on hostile bytes in this process.
struct Target {
  std::string_view name;
  void (*run)(const Input& input);
};

/// reader: headers, extensions, names and whiteouts. writer: the same, and the entries are made in
/// a scratch tree.
std::span<const Target> targets();

}  // namespace teu::fuzz
