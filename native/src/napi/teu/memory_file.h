#pragma once

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu {

enum class MemoryFileUse { kData, kProgram };

/// memfd_create(2), sealable. Since Linux 6.3 a program's has to be asked for as such
/// (`vm.memfd_noexec`).
Result<UniqueFd> makeMemoryFile(const char* name, MemoryFileUse use) noexcept;

}  // namespace teu
