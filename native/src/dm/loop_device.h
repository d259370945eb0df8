// Loop devices below a pool that is kept in files. They detach themselves when nothing has them
// open any more (LO_FLAGS_AUTOCLEAR), so they live exactly as long as the pool.
#pragma once

#include "dm/device_mapper.h"
#include "sys/unique_fd.h"

namespace teu::dm {

struct LoopDevice {
  /// Keeps it attached until a pool does.
  UniqueFd fd;
  DeviceNumber number;
};

/// Attaches a file that is open for reading and writing (Linux 5.8).
Result<LoopDevice> attachLoop(int file);

}  // namespace teu::dm
