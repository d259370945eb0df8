#pragma once

#include <span>
#include <string>
#include <string_view>

#include "fuzz/mutator.h"

namespace teu::fuzz {

/// How inputs are changed.
enum class Format { kTar, kText };

/// Code that is run on hostile bytes in this process.
struct Target {
  std::string_view name;
  void (*run)(const Input& input);
  Format format;
};

/// reader: headers, extensions, names and whiteouts. writer: the same, and the entries are made in
/// a scratch tree. kernel-log: records of the kernel's log, of which reports of kills are made.
std::span<const Target> targets();

void runKernelLog(const Input& input);

/// Ends the run, for what is promised of a result does not hold.
[[noreturn]] void broken(const char* promise, const std::string& what);

}  // namespace teu::fuzz
