#include "napi/teu/memory_file.h"

#include <linux/memfd.h>

#include "sys/raw_syscall.h"

namespace teu {
namespace {
constexpr int kEinval = 22;
constexpr unsigned kNotExecutable = 0x8;  // MFD_NOEXEC_SEAL, Linux 6.3
constexpr unsigned kExecutable = 0x10;    // MFD_EXEC, Linux 6.3
}  // namespace

Result<UniqueFd> makeMemoryFile(const char* name, MemoryFileUse use) noexcept {
  const unsigned base = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const unsigned kind = use == MemoryFileUse::kProgram ? kExecutable : kNotExecutable;
  long answer = sys::call(__NR_memfd_create, name, base | kind);
  if (answer == -kEinval) answer = sys::call(__NR_memfd_create, name, base);
  return fdOf(answer, "memfd_create");
}

}  // namespace teu
