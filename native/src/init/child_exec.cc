#include "init/child.h"
#include "sys/processes.h"

namespace teu {
namespace {

constexpr int kEnoent = 2;
constexpr int kEacces = 13;
constexpr int kEnotdir = 20;
constexpr int kEnametoolong = 36;
constexpr size_t kPathCapacity = 4096;
constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const char* searchPath(const ProcessPlan& process) noexcept {
  for (const char* entry : process.env) {
    if (startsWith(entry, "PATH=")) return entry + 5;
  }
  return kDefaultPath;
}

bool hasSlash(const char* text) noexcept {
  for (; *text != '\0'; ++text) {
    if (*text == '/') return true;
  }
  return false;
}

Status execute(const char* path, const ProcessPlan& process) noexcept {
  // execve takes them as char* for history's sake and writes to none.
  return sys::execute(path, const_cast<char* const*>(process.argv.data),
                      const_cast<char* const*>(process.env.data));
}

}  // namespace

void addHome(const ProcessPlan& process, const HomeVariable& home) noexcept {
  for (const char* entry : process.env) {
    if (startsWith(entry, "HOME=")) return;
  }
  // The plan left room for it.
  process.env.data[process.env.size] = home.text();
}

Status executeProgram(const ProcessPlan& process) noexcept {
  const char* name = process.argv[0];
  if (hasSlash(name)) return execute(name, process).on(name);
  Status denied;
  for (const char* at = searchPath(process); *name != '\0';) {
    size_t size = 0;
    while (at[size] != '\0' && at[size] != ':') ++size;
    TextBuffer<kPathCapacity> candidate;
    candidate.add(size == 0 ? TextView(".", 1) : TextView(at, size)).add("/").add(name);
    if (candidate.overflowed()) return brokenRule(kEnametoolong, "execve").on(name);
    const Status failed = execute(candidate.text(), process);
    const int error = failed.error().number;
    if (error == kEacces) {
      denied = failed;
    } else if (error != kEnoent && error != kEnotdir) {
      return failed.on(name);
    }
    at += size;
    if (*at == '\0') break;
    ++at;
  }
  if (!denied) return denied.on(name);
  return brokenRule(kEnoent, "execve").on(name);
}

}  // namespace teu
