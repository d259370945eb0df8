#include <linux/prctl.h>

#include "init/child.h"
#include "launch/steps.h"
#include "sys/credentials.h"
#include "sys/files.h"
#include "sys/processes.h"

namespace teu {
namespace {

constexpr int kEnoent = 2;
constexpr int kEinval = 22;
constexpr int kSigKill = 9;
constexpr int kCapabilityCount = 64;
constexpr size_t kPathCapacity = 4096;

Status limitBounding(uint64_t bounding) noexcept {
  for (int capability = 0; capability < kCapabilityCount; ++capability) {
    if (bounding & (uint64_t{1} << capability)) continue;
    const Status dropped = sys::dropFromBounding(capability);
    if (dropped) continue;
    // EINVAL: the kernel knows no capability of that number, nor any higher.
    if (dropped.error().number == kEinval) return {};
    return dropped;
  }
  return {};
}

Status changeIds(const ProgramUser& user) noexcept {
  if (Status s = sys::setGroups(user.groups.data, user.groups.size); !s) return s;
  if (Status s = sys::setGroupIds(user.gid); !s) return s;
  if (Status s = sys::keepCapabilities(true); !s) return s;
  if (Status s = sys::setUserIds(user.uid); !s) return s;
  if (Status s = sys::keepCapabilities(false); !s) return s;
  // A change of ids clears it (prctl(2), PR_SET_PDEATHSIG).
  return sys::processControl(PR_SET_PDEATHSIG, kSigKill);
}

Status setFinalCapabilities(const CapabilitiesPlan& plan) noexcept {
  if (Status s = sys::clearAmbient(); !s) return s;
  Status set = sys::setCapabilities(
      {.effective = plan.effective, .permitted = plan.permitted, .inheritable = plan.inheritable});
  if (!set) return set;
  for (int capability = 0; capability < kCapabilityCount; ++capability) {
    if ((plan.ambient & (uint64_t{1} << capability)) == 0) continue;
    if (Status s = sys::raiseAmbient(capability); !s) return s;
  }
  return {};
}

Status loadFilter(const SeccompPlan& seccomp) noexcept {
  if (!seccomp.present) return {};
  return sys::loadSeccompFilter(seccomp.filter.data, seccomp.filter.size / 8, seccomp.flags)
      .during(step::kSeccomp);
}

/// After a change of ids the permitted set is whole but none of it is in effect.
Status raisePermitted() noexcept {
  Result<sys::CapabilitySets> now = sys::capabilities();
  if (!now) return now.status();
  now.value().effective = now.value().permitted;
  return sys::setCapabilities(now.value());
}

}  // namespace

Status setLimits(Child& child) noexcept {
  const ProcessPlan& process = child.plan.process;
  for (const RlimitPlan& limit : process.rlimits) {
    Status set = sys::setLimit(limit.resource, {.soft = limit.soft, .hard = limit.hard});
    if (!set) return set.during(step::kRlimits);
  }
  if (!process.hasOomScoreAdj) return {};
  TextBuffer<16> score;
  score.addSigned(process.oomScoreAdj);
  return child.procfs.write("self/oom_score_adj", score.text()).during(step::kOomScoreAdj);
}

Status enterDirectory(const ProcessPlan& process, const RootHandle& root, bool make) noexcept {
  Result<UniqueFd> directory = root.open(process.cwd, abi::kOpenPath | abi::kOpenDirectory);
  if (!directory && directory.error().number == kEnoent && make) {
    directory = root.openOrMakeDirectory(process.cwd);
  }
  if (!directory) return directory.status().on(process.cwd);
  if (Status s = sys::changeDirectory(directory.value().get()); !s) return s.on(process.cwd);
  // The kernel says "(unreachable)" for what lies outside the root.
  char where[kPathCapacity];
  const long length = sys::call(__NR_getcwd, where, sizeof where);
  if (length < 0) return statusOf(length, "getcwd").on(process.cwd);
  if (where[0] != '/') {
    return brokenRule(kEinval, "working directory is outside the container root").on(process.cwd);
  }
  return {};
}

Status dropPrivileges(const ProcessPlan& process, const ProgramUser& user) noexcept {
  const CapabilitiesPlan& capabilities = process.capabilities;
  if (Status s = sys::newSessionKeyring(); !s) return s.during(step::kCapabilities);
  if (process.noNewPrivileges) {
    if (Status s = sys::setNoNewPrivileges(); !s) return s.during(step::kCapabilities);
  }
  if (Status s = limitBounding(capabilities.bounding); !s) return s.during(step::kCapabilities);
  if (Status s = changeIds(user); !s) return s.during(step::kUser);
  if (process.noNewPrivileges) {
    // The filter comes last, so it need not allow anything that set-up does.
    if (Status s = setFinalCapabilities(capabilities); !s) return s.during(step::kCapabilities);
    return loadFilter(process.seccomp);
  }
  // Without no_new_privs, loading a filter takes CAP_SYS_ADMIN: it goes before the last capset,
  // which it must allow.
  if (Status s = raisePermitted(); !s) return s.during(step::kCapabilities);
  if (Status s = loadFilter(process.seccomp); !s) return s;
  return setFinalCapabilities(capabilities).during(step::kCapabilities);
}

}  // namespace teu
