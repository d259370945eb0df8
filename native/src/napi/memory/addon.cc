// memory.node: gives back what a Node process needed to start and does not need to wait. An addon
// of its own because every service loads it.
#include <malloc.h>
#include <napi.h>
#include <sys/mman.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <vector>

namespace teu {
namespace {

struct Mapping {
  uintptr_t begin;
  uintptr_t end;
};

/// The file mappings of this process that are read-only and hold nothing of their own: code and
/// constants, whose pages come back from the page cache when they are touched. Relocated constants
/// are read-only too, but anonymous by then; dropping those would undo the relocation.
std::vector<Mapping> cleanFileMappings() {
  std::vector<Mapping> found;
  FILE* smaps = fopen("/proc/self/smaps", "re");
  if (smaps == nullptr) return found;
  Mapping current{};
  bool isFile = false;
  char line[4096];
  while (fgets(line, sizeof line, smaps) != nullptr) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    unsigned long inode = 0;
    char permissions[5] = "";
    long kilobytes = 0;
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*x %*s %lu", &begin, &end, permissions,
               &inode) == 4) {
      current = {begin, end};
      isFile = inode != 0 && permissions[1] == '-' && permissions[3] == 'p';
    } else if (isFile && sscanf(line, "Anonymous: %ld", &kilobytes) == 1 && kilobytes == 0) {
      found.push_back(current);
    }
  }
  fclose(smaps);
  return found;
}

/// Returns the free memory of malloc to the kernel and lets go of the pages of code and constants
/// (madvise(2), MADV_DONTNEED). Those of them that are still used are mapped again as they are
/// used.
Napi::Value releaseUnused(const Napi::CallbackInfo& info) {
  malloc_trim(0);
  for (const Mapping& mapping : cleanFileMappings()) {
    // A mapping that refuses keeps its pages; nothing depends on it.
    madvise(reinterpret_cast<void*>(mapping.begin), mapping.end - mapping.begin, MADV_DONTNEED);
  }
  return info.Env().Undefined();
}

Napi::Object exportAll(Napi::Env env, Napi::Object exports) {
  exports.Set("releaseUnused", Napi::Function::New(env, releaseUnused));
  return exports;
}

}  // namespace
}  // namespace teu

static Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  return teu::exportAll(env, exports);
}
NODE_API_MODULE(memory, initialize)
