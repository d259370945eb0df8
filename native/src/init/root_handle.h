// Finding and making things inside a container's root. The root is one open directory; everything
// else is resolved below it by the kernel (openat2 with RESOLVE_IN_ROOT), so no symbolic link and
// no rename of the container's leads out.
#pragma once

#include <stdint.h>

#include "sys/files.h"
#include "sys/result.h"
#include "sys/text.h"
#include "sys/unique_fd.h"

namespace teu {

class RootHandle {
 public:
  static constexpr size_t kPathCapacity = 4096;

  RootHandle() noexcept = default;
  explicit RootHandle(UniqueFd&& root) noexcept : root_(static_cast<UniqueFd&&>(root)) {}

  int get() const noexcept { return root_.get(); }

  /// `path` as the container would see it, symbolic links followed inside the root, magic links
  /// refused.
  Result<UniqueFd> open(const char* path, int flags) const noexcept;
  /// The same, but any symbolic link on the way is refused (ELOOP).
  Result<UniqueFd> openWithoutLinks(const char* path, int flags) const noexcept;

  /// An O_PATH handle of a directory; missing components are made (0755), one by one, each under
  /// its parent's handle.
  Result<UniqueFd> openOrMakeDirectory(const char* path) const noexcept;
  /// An O_PATH handle of anything that is not a directory; a missing file is made empty, with its
  /// directories. A symbolic link that leads nowhere yet (`/etc/resolv.conf` of many systems) is
  /// followed inside the root to where the file belongs.
  Result<UniqueFd> openOrMakeFile(const char* path) const noexcept;
  /// The directory that `path` lies in (made if missing) and its last component.
  struct Place {
    UniqueFd directory;
    const char* name = "";
  };
  Result<Place> openOrMakeParent(const char* path) const noexcept;

  /// Attaches a mount at `target` and proves that it is what `path` now leads to, and that it does
  /// not cover the root.
  Status attach(int mount, int target, const char* path) const noexcept;

 private:
  Result<UniqueFd> openOrMakePlainFile(const char* path) const noexcept;
  Status followLink(TextBuffer<kPathCapacity>& path) const noexcept;

  UniqueFd root_;
};

}  // namespace teu
