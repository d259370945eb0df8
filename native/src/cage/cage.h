// What a program locks itself into before it looks at the first byte that an image or a container
// has written. See README.md.
#pragma once

#include <linux/capability.h>

#include <cstdint>
#include <string>
#include <vector>

#include "cage/mount_call.h"
#include "layer/failure.h"

namespace teu::cage {

using layer::Outcome;

constexpr std::uint64_t capabilityBit(int capability) noexcept {
  return std::uint64_t{1} << capability;
}

/// Enough to own, mode and link anything, to make devices and to set file capabilities; not enough
/// to mount, to join a namespace, to trace, or to send a packet.
inline constexpr std::uint64_t kWritingCapabilities =
    capabilityBit(CAP_CHOWN) | capabilityBit(CAP_DAC_OVERRIDE) | capabilityBit(CAP_FOWNER) |
    capabilityBit(CAP_FSETID) | capabilityBit(CAP_MKNOD) | capabilityBit(CAP_SETFCAP);

/// One of several trees in a cage.
struct Tree {
  std::string name{};  ///< of its directory in the root of the cage
  std::vector<MountCall> mounts{};
  bool readOnly = false;
};

/// Closes whatever was inherited beyond the descriptor `last`.
Outcome closeBeyond(int last);

/// Leaves the host: own mount, network, IPC and UTS namespaces; the driver's mounts become the
/// root, and nothing else is reachable by any path. Then no_new_privs, resource limits, and only
/// these capabilities. `directory` is an empty one, which is mounted on in this namespace only.
///
/// Call once, before anything hostile is looked at, single-threaded.
Outcome enterCage(const std::string& directory, const std::vector<MountCall>& mounts,
                  std::uint64_t capabilities);

/// The same with several trees, each in a directory of the root that has its name.
Outcome enterCageOfTrees(const std::string& directory, const std::vector<Tree>& trees,
                         std::uint64_t capabilities);

/// The same for work that needs no file system at all: an empty root.
Outcome enterEmptyCage();

}  // namespace teu::cage
