// The connection to the resident process.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "protocol.h"

namespace teu::launcher {

// Connects to the resident's socket in the given run directory.
// Returns the descriptor, or -errno: -ENOENT and -ECONNREFUSED mean that there is no resident,
// -EACCES that the socket belongs to neither root nor us, so that it must not get our environment.
int connectResident(const char* runDirectory);

// Sends one frame whole. Returns false when the resident is gone.
bool sendFrame(int socket, FrameType type, const void* payload, size_t size);

// Sends the first frame: who we are and what to run.
bool sendHello(int socket, char** argv, char** environment);

}  // namespace teu::launcher
