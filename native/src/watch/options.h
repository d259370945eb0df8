#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "watch/group_watch.h"
#include "watch/hierarchies.h"

namespace teu::watch {

/// What the program is started with:
///
///   memory=DIRECTORY pids=DIRECTORY   roots of hierarchies of version 1
///   unified=DIRECTORY                 root of the one of version 2
///   kmsg=SEQUENCE                     first record of the kernel's log that is wanted; 0 for new
///   ones, "off" for none pressure=MEMORY,IO,CPU            microseconds of waiting in two seconds;
///   0 for nothing level=low|medium|critical         of memory.pressure_level where there are no
///   pressure files
struct Options {
  std::string memory;
  std::string pids;
  std::string unified;
  std::optional<std::uint64_t> kmsgFrom;
  PressureOptions pressure;
};

/// Nothing if an argument is unknown or malformed.
std::optional<Options> parseOptions(int count, char** arguments);

}  // namespace teu::watch
