#include "init/private_procfs.h"

#include <linux/openat2.h>

#include "sys/files.h"
#include "sys/mounts.h"
#include "sys/text.h"

namespace teu {
namespace {
constexpr int kEinval = 22;
}

Status PrivateProcfs::write(const char* path, const char* value) noexcept {
  if (Status ready = ensureOpen(); !ready) return ready;
  Result<UniqueFd> file = sys::openResolved(mount_.get(), path, abi::kOpenWriteOnly, 0,
                                            RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
  if (!file) return file.status().on(path);
  return sys::writeAll(file.value().get(), value, textLength(value)).on(path);
}

Status PrivateProcfs::ensureOpen() noexcept {
  if (mount_) return {};
  Result<UniqueFd> fileSystem = sys::openFileSystem("proc");
  if (!fileSystem) return fileSystem.status();
  if (Status made = sys::createSuperblock(fileSystem.value().get()); !made) return made;
  Result<UniqueFd> mount = sys::mountSuperblock(fileSystem.value().get(), 0);
  if (!mount) return mount.status();
  Result<long> magic = sys::fileSystemMagic(mount.value().get());
  if (!magic) return magic.status();
  if (magic.value() != abi::kProcMagic) return brokenRule(kEinval, "procfs magic");
  mount_ = static_cast<UniqueFd&&>(mount.value());
  return {};
}

}  // namespace teu
