// The mount, and the conversation with the kernel.
#pragma once

#include <string>

#include "union/filesystem.h"

namespace teu::unionfs {

struct MountOptions {
  std::string mountPoint{};
  std::string control{};  ///< path of the control socket
  std::string source = "teu-union";
  std::vector<BranchSpec> branches{};
};

/// Mounts, and makes the session that RequestLoop runs.
Result<fuse_session*> mountUnion(const MountOptions& options, FileSystem& files);

/// Takes from the kernel's first request what it offers.
void readOffer(const char* buffer, std::size_t size);

}  // namespace teu::unionfs
