#include "napi/teu/init_image.h"

#include <linux/fcntl.h>
#include <linux/memfd.h>

#include "napi/teu/memory_file.h"
#include "sys/files.h"
#include "sys/raw_syscall.h"

namespace teu {
namespace {

constexpr int kEperm = 1;
constexpr size_t kCopyChunk = 64 * 1024;
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

Status copyAll(int from, int to) noexcept {
  static thread_local char chunk[kCopyChunk];
  for (;;) {
    Result<size_t> size = sys::readSome(from, chunk, sizeof chunk);
    if (!size) return size.status();
    if (size.value() == 0) return {};
    if (Status s = sys::writeAll(to, chunk, size.value()); !s) return s;
  }
}

Status seal(int file) noexcept {
  const long sealed = sys::call(__NR_fcntl, file, F_ADD_SEALS, kSeals);
  if (sealed < 0) return statusOf(sealed, "fcntl");
  const long seals = sys::call(__NR_fcntl, file, F_GET_SEALS, 0);
  if (seals < 0) return statusOf(seals, "fcntl");
  if ((seals & kSeals) != kSeals) return brokenRule(kEperm, "seals of teu-init");
  return {};
}

}  // namespace

Status InitImage::load(const char* path) noexcept {
  Result<UniqueFd> installed = sys::openAt(abi::kAtFdCwd, path, abi::kOpenReadOnly);
  if (!installed) return installed.status();
  Result<UniqueFd> copy = makeMemoryFile("teu-init", MemoryFileUse::kProgram);
  if (!copy) return copy.status();
  if (Status s = copyAll(installed.value().get(), copy.value().get()); !s) return s;
  if (Status s = seal(copy.value().get()); !s) return s;
  file_ = static_cast<UniqueFd&&>(copy.value());
  return {};
}

}  // namespace teu
