// Ids, capabilities, keyring and system call filter of the calling process.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sys/result.h"

namespace teu::sys {

struct CapabilitySets {
  uint64_t effective = 0;
  uint64_t permitted = 0;
  uint64_t inheritable = 0;
};

Result<CapabilitySets> capabilities() noexcept;
Status setCapabilities(const CapabilitySets& sets) noexcept;
Status dropFromBounding(int capability) noexcept;
Status raiseAmbient(int capability) noexcept;
Status clearAmbient() noexcept;
Status setNoNewPrivileges() noexcept;
/// Capabilities outlive the next change of user ids (PR_SET_KEEPCAPS).
Status keepCapabilities(bool keep) noexcept;
Status setGroups(const uint32_t* groups, size_t count) noexcept;
Status setGroupIds(uint32_t gid) noexcept;
Status setUserIds(uint32_t uid) noexcept;
/// A session keyring of its own; success too where the kernel has no keyrings or all are used up.
Status newSessionKeyring() noexcept;
/// `filter`: `count` struct sock_filter.
Status loadSeccompFilter(const void* filter, size_t count, unsigned flags) noexcept;

}  // namespace teu::sys
