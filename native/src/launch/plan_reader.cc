#include "launch/plan_reader.h"

#include "launch/plan_cursor.h"

namespace teu {
namespace {

constexpr uint32_t kMagic = 0x50554554;     // "TEUP"
constexpr uint32_t kEndMagic = 0x45554554;  // "TEUE"
constexpr uint32_t kVersion = 1;
constexpr uint32_t kMinimumLogBytes = 64 * 1024;
constexpr size_t kMaximumFilterBytes = 4096 * 8;
constexpr uint32_t kMaximumId = 0x7fffffff;
constexpr int kEproto = 71;

NamespacePlan readNamespace(PlanCursor& in) noexcept {
  const uint32_t kind = in.u32Below("namespaces.kind", 4);
  return {.kind = static_cast<NamespaceKind>(kind), .path = in.text("namespaces.path")};
}

IdMapping readIdMapping(PlanCursor& in) noexcept {
  const uint32_t containerId = in.u32("idMappings.containerId");
  const uint32_t hostId = in.u32("idMappings.hostId");
  return {.containerId = containerId, .hostId = hostId, .size = in.u32("idMappings.size")};
}

void readMembership(PlanCursor& in, LaunchPlan& plan) noexcept {
  for (NamespacePlan& one : plan.namespaces) one = readNamespace(in);
  plan.target.present = in.flag("target");
  if (plan.target.present) {
    plan.target.pid = in.u32("target.pid");
    plan.target.startTicks = in.u64("target.startTicks");
  }
  plan.hasIdMappings = in.flag("idMappings");
  if (plan.hasIdMappings) {
    plan.uidMappings = in.list<IdMapping>("idMappings.uid", [&] { return readIdMapping(in); });
    plan.gidMappings = in.list<IdMapping>("idMappings.gid", [&] { return readIdMapping(in); });
  }
  plan.timeOffsets.present = in.flag("timeOffsets");
  if (plan.timeOffsets.present) {
    plan.timeOffsets.monotonicNs = static_cast<int64_t>(in.u64("timeOffsets.monotonicNs"));
    plan.timeOffsets.boottimeNs = static_cast<int64_t>(in.u64("timeOffsets.boottimeNs"));
  }
  plan.cgroupTasksFiles =
      in.list<const char*>("cgroup.v1TasksFiles", [&] { return in.path("cgroup.v1TasksFiles"); });
  plan.cgroupDirectory = in.optionalText("cgroup.v2Directory");
}

/// The part of a mount that a storage driver's and a container's have in common.
MountPlan readStorageMount(PlanCursor& in) noexcept {
  MountPlan mount{};
  mount.type = in.text("mounts.type");
  mount.source = in.text("mounts.source");
  mount.target = in.text("mounts.target");
  mount.flags = in.u32("mounts.flags");
  mount.data = in.text("mounts.data");
  return mount;
}

MountPlan readMount(PlanCursor& in) noexcept {
  MountPlan mount = readStorageMount(in);
  if (*mount.target != '/') in.fail("mounts.target");
  mount.propagation = in.u32("mounts.propagation");
  return mount;
}

DevicePlan readDevice(PlanCursor& in) noexcept {
  DevicePlan device{};
  device.path = in.path("devices.path");
  device.type = static_cast<DeviceType>(in.u32Below("devices.type", 3));
  device.major = in.u32Below("devices.major", 1U << 12);
  device.minor = in.u32Below("devices.minor", 1U << 20);
  device.mode = in.u32Below("devices.mode", 01000);
  device.uid = in.u32("devices.uid");
  device.gid = in.u32("devices.gid");
  return device;
}

LinkPlan readLink(PlanCursor& in) noexcept {
  const char* path = in.path("links.path");
  return {.path = path, .target = in.text("links.target")};
}

SysctlPlan readSysctl(PlanCursor& in) noexcept {
  const char* key = in.text("sysctl.key");
  return {.key = key, .value = in.text("sysctl.value")};
}

void readFileSystem(PlanCursor& in, LaunchPlan& plan) noexcept {
  plan.rootfs.present = in.flag("rootfs");
  if (plan.rootfs.present) {
    plan.rootfs.path = in.path("rootfs.path");
    plan.rootfs.mounts = in.list<MountPlan>("rootfs.mounts", [&] { return readStorageMount(in); });
    plan.rootfs.readonly = in.flag("rootfs.readonly");
    plan.rootfs.propagation = in.u32("rootfs.propagation");
  }
  plan.mounts = in.list<MountPlan>("mounts", [&] { return readMount(in); });
  plan.devices = in.list<DevicePlan>("devices", [&] { return readDevice(in); });
  plan.links = in.list<LinkPlan>("links", [&] { return readLink(in); });
  plan.maskedPaths = in.list<const char*>("maskedPaths", [&] { return in.path("maskedPaths"); });
  plan.readonlyPaths =
      in.list<const char*>("readonlyPaths", [&] { return in.path("readonlyPaths"); });
}

UserPlan readUser(PlanCursor& in) noexcept {
  UserPlan user{};
  user.kind = static_cast<UserKind>(in.u32Below("process.user.kind", 2));
  user.uid = in.u32Below("process.user.uid", kMaximumId + 1);
  user.gid = in.u32Below("process.user.gid", kMaximumId + 1);
  user.name = in.text("process.user.name");
  user.additionalGids = in.list<uint32_t>("process.user.additionalGids", [&] {
    return in.u32Below("process.user.additionalGids", kMaximumId + 1);
  });
  return user;
}

SeccompPlan readSeccomp(PlanCursor& in) noexcept {
  SeccompPlan seccomp{};
  seccomp.present = in.flag("process.seccomp");
  if (!seccomp.present) return seccomp;
  constexpr uint32_t kTsync = 1, kNewListener = 8, kTsyncEsrch = 16;
  seccomp.flags = in.u32("process.seccomp.flags");
  if (seccomp.flags & (kTsync | kNewListener | kTsyncEsrch)) in.fail("process.seccomp.flags");
  seccomp.filter = in.blob("process.seccomp.filter");
  const size_t size = seccomp.filter.size;
  if (size == 0 || size % 8 != 0 || size > kMaximumFilterBytes) in.fail("process.seccomp.filter");
  return seccomp;
}

RlimitPlan readRlimit(PlanCursor& in) noexcept {
  RlimitPlan limit{};
  limit.resource = in.u32Below("process.rlimits.resource", 16);
  limit.soft = in.u64("process.rlimits.soft");
  limit.hard = in.u64("process.rlimits.hard");
  return limit;
}

void readProcess(PlanCursor& in, ProcessPlan& process) noexcept {
  process.argv = in.list<const char*>(
      "process.argv", [&] { return in.text("process.argv"); }, 1);
  process.env = in.list<const char*>(
      "process.env", [&] { return in.text("process.env"); }, 2);
  process.cwd = in.path("process.cwd");
  process.user = readUser(in);
  process.capabilities.bounding = in.u64("process.capabilities.bounding");
  process.capabilities.effective = in.u64("process.capabilities.effective");
  process.capabilities.permitted = in.u64("process.capabilities.permitted");
  process.capabilities.inheritable = in.u64("process.capabilities.inheritable");
  process.capabilities.ambient = in.u64("process.capabilities.ambient");
  process.noNewPrivileges = in.flag("process.noNewPrivileges");
  process.seccomp = readSeccomp(in);
  process.rlimits = in.list<RlimitPlan>("process.rlimits", [&] { return readRlimit(in); });
  process.hasOomScoreAdj = in.flag("process.oomScoreAdj");
  if (process.hasOomScoreAdj) {
    process.oomScoreAdj = static_cast<int32_t>(in.u32("process.oomScoreAdj"));
  }
  process.hasUmask = in.flag("process.umask");
  if (process.hasUmask) process.umask = in.u32Below("process.umask", 01000);
  process.terminal.present = in.flag("process.terminal");
  if (process.terminal.present) {
    process.terminal.rows = in.u32Below("process.terminal.rows", 1U << 16);
    process.terminal.columns = in.u32Below("process.terminal.columns", 1U << 16);
  }
  process.stdinKind = static_cast<StdinKind>(in.u32Below("process.stdin", 3));
  if (process.argv.size == 0) in.fail("process.argv");
}

/// What no single field can tell.
void checkTogether(PlanCursor& in, const LaunchPlan& plan) noexcept {
  const NamespaceKind mount = plan.namespaces[kMountNamespace].kind;
  const bool newMounts = mount == NamespaceKind::kNew;
  if (!newMounts && !plan.joinsMounts()) in.fail("namespaces.mount");
  if (plan.rootfs.present != newMounts) in.fail("rootfs");
  if (plan.hasIdMappings != (plan.namespaces[kUserNamespace].kind == NamespaceKind::kNew)) {
    in.fail("idMappings");
  }
  if (plan.timeOffsets.present && plan.namespaces[kTimeNamespace].kind != NamespaceKind::kNew) {
    in.fail("timeOffsets");
  }
  for (const NamespacePlan& one : plan.namespaces) {
    const bool hasPath = *one.path == '/';
    if ((one.kind == NamespaceKind::kPath) != hasPath) in.fail("namespaces.path");
    if (one.kind == NamespaceKind::kTarget && !plan.target.present) in.fail("target");
    // An exec shares; what it does not share it keeps from the host.
    if (one.kind == NamespaceKind::kNew && plan.joinsMounts()) in.fail("namespaces.kind");
  }
  const bool makesMounts = plan.mounts.size != 0 || plan.devices.size != 0 ||
                           plan.links.size != 0 || plan.maskedPaths.size != 0 ||
                           plan.readonlyPaths.size != 0;
  if (plan.joinsMounts() && makesMounts) in.fail("mounts");
}

}  // namespace

Status readLaunchPlan(const uint8_t* bytes, size_t size, Arena& arena, LaunchPlan& plan) noexcept {
  PlanCursor in(bytes, size, arena);
  if (in.u32("magic") != kMagic) in.fail("magic");
  if (in.u32("version") != kVersion) in.fail("version");
  if (in.u32("length") != size) in.fail("length");
  plan.id = in.text("id");
  plan.directory = in.path("directory");
  plan.socketPath = in.optionalText("socketPath");
  plan.hold = in.flag("hold");
  plan.holdWorld = in.flag("holdWorld");
  plan.logMaxFileBytes = in.u32("log.maxFileBytes");
  if (plan.logMaxFileBytes < kMinimumLogBytes) in.fail("log.maxFileBytes");
  readMembership(in, plan);
  readFileSystem(in, plan);
  plan.hostname = in.optionalText("hostname");
  plan.domainname = in.optionalText("domainname");
  plan.sysctl = in.list<SysctlPlan>("sysctl", [&] { return readSysctl(in); });
  readProcess(in, plan.process);
  if (in.u32("end") != kEndMagic || !in.atEnd()) in.fail("end");
  if (!in.failed()) checkTogether(in, plan);
  if (in.failed()) return brokenRule(kEproto, "plan").on(in.failedField());
  return {};
}

}  // namespace teu
