#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cage/mount_call.h"
#include "layer/decoder.h"
#include "layer/failure.h"
#include "layer/limits.h"

namespace teu::layer {

enum class Command { kApply, kCopy };

struct Options {
  Command command = Command::kApply;
  int blobFd = -1;
  std::uint64_t blobOffset = 0;
  std::uint64_t blobLength = UINT64_MAX;
  int growthFd = -1;   ///< tells how much of the blob is there (growth.h); -1 if all of it
  int copyFd = -1;     ///< where the blob goes as it is; -1 for nowhere
  int decodedFd = -1;  ///< where the uncompressed tar goes, with kCopy
  Compression compression = Compression::kAuto;
  std::uint64_t progressBytes = 0;  ///< a line of progress each time so much was read; 0 for none
  bool standalone = false;  ///< the mounts show the layer alone, without what it will stand on
  std::string cageDirectory;
  std::vector<cage::MountCall> mounts;
  Limits limits;
};

/// Reads the command line; see kUsage in main.cc.
Outcome parseOptions(int count, char** arguments, Options& options);

}  // namespace teu::layer
