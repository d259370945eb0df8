#pragma once

#include <cstdint>

#include "layer/failure.h"

namespace teu::pack {

using layer::Outcome;

struct Options {
  int blobs = -1;   ///< directory with a file for each blob, named by its digest in hexadecimal
  int output = -1;  ///< written to from its present offset on
  std::uint64_t size = 0;           ///< bytes that there will be
  std::uint64_t progressBytes = 0;  ///< print a line whenever so many more are written; 0 for none
  bool file = false;                ///< the output is a file: look for room, sync, and hash it
};

/// Reads the command line; see README.md.
Outcome parseOptions(int count, char** arguments, Options& options);

}  // namespace teu::pack
