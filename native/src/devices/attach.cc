#include "devices/attach.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cstring>

#include "sys/raw_syscall.h"
#include "sys/unique_fd.h"

namespace teu::devices {
namespace {

long callBpf(bpf_cmd command, bpf_attr& attributes) {
  return sys::rawSyscall(__NR_bpf, command, sys::asArgument(&attributes), sizeof attributes, 0, 0,
                         0);
}

Result<UniqueFd> loadProgram(const std::vector<bpf_insn>& program) {
  static const char kLicense[] = "Apache-2.0";
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insn_cnt = static_cast<uint32_t>(program.size());
  attributes.insns = reinterpret_cast<uintptr_t>(program.data());
  attributes.license = reinterpret_cast<uintptr_t>(kLicense);
  std::strncpy(attributes.prog_name, "teu_devices", sizeof attributes.prog_name - 1);
  return fdOf(callBpf(BPF_PROG_LOAD, attributes), "bpf");
}

}  // namespace

void liftLockedMemory() {
  rlimit memory{RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_MEMLOCK, &memory) == 0 || getrlimit(RLIMIT_MEMLOCK, &memory) != 0) return;
  memory.rlim_cur = memory.rlim_max;
  setrlimit(RLIMIT_MEMLOCK, &memory);
}

Status attachProgram(const char* directory, const std::vector<bpf_insn>& program,
                     bool overridable) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  Result<UniqueFd> group =
      fdOf(sys::rawSyscall(__NR_openat, AT_FDCWD, sys::asArgument(directory), kFlags, 0, 0, 0),
           "openat");
  if (!group) return group.status().during("open");
  liftLockedMemory();
  Result<UniqueFd> loaded = loadProgram(program);
  if (!loaded) return loaded.status().during("load");
  bpf_attr attributes{};
  attributes.target_fd = static_cast<uint32_t>(group.value().get());
  attributes.attach_bpf_fd = static_cast<uint32_t>(loaded.value().get());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_flags = overridable ? BPF_F_ALLOW_OVERRIDE : 0;
  return statusOf(callBpf(BPF_PROG_ATTACH, attributes), "bpf").during("attach");
}

}  // namespace teu::devices
