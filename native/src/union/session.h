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

/// Mounts, and makes the session that serve() runs.
Result<fuse_session*> mountUnion(const MountOptions& options, FileSystem& files);

/// Answers requests until the file system is unmounted everywhere.
Status serve(fuse_session* session);

}  // namespace teu::unionfs
