// What we use of the FUSE protocol beyond <linux/fuse.h> of Debian 12 (7.38): passthrough (7.40,
// Linux 6.9) and the killing of privileges (7.33, which libfuse does not ask for).
#pragma once

#include <linux/fuse.h>
#include <sys/ioctl.h>

#include <cstdint>

namespace teu::unionfs::abi {

/// Bits of fuse_init_out.flags2, which holds bits 32.. of the flags.
inline constexpr std::uint32_t kInitPassthrough = 1U << 5;
inline constexpr std::uint32_t kInitExpireOnly = 1U << 3;
inline constexpr std::uint32_t kInitKillPrivileges2 = 1U << 28;  ///< FUSE_HANDLE_KILLPRIV_V2, flags

/// fuse_open_out.open_flags: data goes to the file whose backing id stands in `padding`.
inline constexpr std::uint32_t kOpenPassthrough = 1U << 7;

/// struct fuse_backing_map
struct BackingMap {
  std::int32_t fd = -1;
  std::uint32_t flags = 0;
  std::uint64_t padding = 0;
};
inline constexpr unsigned long kBackingOpen = _IOW(229, 1, BackingMap);
inline constexpr unsigned long kBackingClose = _IOW(229, 2, std::uint32_t);

}  // namespace teu::unionfs::abi
