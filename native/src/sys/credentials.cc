#include "sys/credentials.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "sys/kernel_abi.h"
#include "sys/processes.h"
#include "sys/raw_syscall.h"

namespace teu::sys {
namespace {
constexpr int kEnosys = 38;
constexpr int kEdquot = 122;
constexpr int kEperm = 1;
}  // namespace

Result<CapabilitySets> capabilities() noexcept {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  const long answer = call(__NR_capget, &header, data);
  if (answer < 0) return statusOf(answer, "capget");
  const auto join = [](uint32_t low, uint32_t high) { return low | uint64_t{high} << 32; };
  return CapabilitySets{.effective = join(data[0].effective, data[1].effective),
                        .permitted = join(data[0].permitted, data[1].permitted),
                        .inheritable = join(data[0].inheritable, data[1].inheritable)};
}

Status setCapabilities(const CapabilitySets& sets) noexcept {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  for (int half = 0; half < 2; ++half) {
    data[half].effective = static_cast<uint32_t>(sets.effective >> (32 * half));
    data[half].permitted = static_cast<uint32_t>(sets.permitted >> (32 * half));
    data[half].inheritable = static_cast<uint32_t>(sets.inheritable >> (32 * half));
  }
  return statusOf(call(__NR_capset, &header, data), "capset");
}

Status dropFromBounding(int capability) noexcept {
  return processControl(PR_CAPBSET_DROP, static_cast<unsigned long>(capability));
}

Status raiseAmbient(int capability) noexcept {
  return statusOf(call(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0),
                  "prctl");
}

Status clearAmbient() noexcept {
  return statusOf(call(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "prctl");
}

Status setNoNewPrivileges() noexcept {
  return processControl(PR_SET_NO_NEW_PRIVS, 1);
}

Status keepCapabilities(bool keep) noexcept {
  return processControl(PR_SET_KEEPCAPS, keep ? 1 : 0);
}

Status setGroups(const uint32_t* groups, size_t count) noexcept {
  return statusOf(call(__NR_setgroups, count, groups), "setgroups");
}

Status setGroupIds(uint32_t gid) noexcept {
  return statusOf(call(__NR_setresgid, gid, gid, gid), "setresgid");
}

Status setUserIds(uint32_t uid) noexcept {
  return statusOf(call(__NR_setresuid, uid, uid, uid), "setresuid");
}

Status newSessionKeyring() noexcept {
  const long answer = call(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
  if (answer == -kEnosys || answer == -kEdquot || answer == -kEperm) return {};
  return statusOf(answer, "keyctl");
}

Status loadSeccompFilter(const void* filter, size_t count, unsigned flags) noexcept {
  struct {
    uint16_t length;
    const void* filter;
  } program{static_cast<uint16_t>(count), filter};
  return statusOf(call(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program), "seccomp");
}

}  // namespace teu::sys
