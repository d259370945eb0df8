#pragma once

#include <string_view>

#include "tree/outcome.h"

namespace teu::tree {

enum class Command { kUsage, kProbe, kManifest, kHash, kDigest, kCheck, kMend };

struct Options {
  Command command = Command::kUsage;
  const char* directory = "";  ///< for digest, a file
  const char* manifest = "";   ///< for check and mend
  std::string_view digest{};   ///< that the manifest must have; empty for any
  bool exclusive = false;      ///< usage: look at extents
  bool header = false;         ///< manifest: copy lines from standard input
  bool attributes = true;      ///< hash: extended attributes count
  bool hardLinks = true;       ///< hash: which names are one file counts
  bool list = false;           ///< hash: print the lines
  bool readData = false;       ///< check, mend: read every byte
  bool idle = false;           ///< let everybody else go first
};

/// Reads the command line; see kUsageText in main.cc.
Outcome parseOptions(int count, char** arguments, Options& options);

}  // namespace teu::tree
