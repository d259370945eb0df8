// The mount API by file descriptors (Linux 5.2; mount_setattr 5.12): no path is looked up twice.
#pragma once

#include <stdint.h>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu::sys {

/// mount(2), for host paths that no container can touch.
Status mountPath(const char* source, const char* target, const char* type, unsigned long flags,
                 const char* data) noexcept;
Status detachMount(const char* target) noexcept;
Status pivotRoot(const char* newRoot, const char* putOld) noexcept;

Result<UniqueFd> openFileSystem(const char* type) noexcept;
Status setOption(int fileSystem, const char* key, const char* value) noexcept;
Status setFlagOption(int fileSystem, const char* key) noexcept;
Status createSuperblock(int fileSystem) noexcept;
/// A detached mount of the superblock, with MOUNT_ATTR_* flags.
Result<UniqueFd> mountSuperblock(int fileSystem, unsigned attributes) noexcept;

/// A detached copy of the mount at `path` below `directory` (or of `directory` itself for ""), with
/// MS_REC its subtree.
Result<UniqueFd> cloneMount(int directory, const char* path, bool recursive) noexcept;
/// Attaches a detached mount on top of an open file or directory.
Status attachMount(int mount, int target) noexcept;

struct MountAttributes {
  uint64_t set = 0;          ///< MOUNT_ATTR_*
  uint64_t clear = 0;        ///< MOUNT_ATTR_*
  uint64_t propagation = 0;  ///< MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE or 0
};
Status changeMount(int mount, const MountAttributes& attributes, bool recursive) noexcept;

/// MOUNT_ATTR_* for the per-mount MS_* flags of mount(2).
uint64_t mountAttributes(unsigned flags) noexcept;

}  // namespace teu::sys
