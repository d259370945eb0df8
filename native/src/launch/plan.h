// The launch plan as the child reads it. Texts point into the plan's own bytes and end in NUL;
// lists live in an arena. What the fields mean is documented once, in ts/launch-plan.ts.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace teu {

template <typename T>
struct Span {
  T* data = nullptr;
  size_t size = 0;

  T* begin() const noexcept { return data; }
  T* end() const noexcept { return data + size; }
  T& operator[](size_t index) const noexcept { return data[index]; }
};

/// A text that may be absent.
using OptionalText = const char*;

enum class NamespaceKind : uint32_t { kHost, kNew, kPath, kTarget };

struct NamespacePlan {
  NamespaceKind kind;
  const char* path;
};

/// The order of the namespaces in the plan.
enum NamespaceIndex : size_t {
  kUserNamespace,
  kPidNamespace,
  kMountNamespace,
  kUtsNamespace,
  kIpcNamespace,
  kNetworkNamespace,
  kCgroupNamespace,
  kTimeNamespace,
  kNamespaceCount
};

struct TargetProcess {
  bool present;
  uint32_t pid;
  uint64_t startTicks;
};

struct IdMapping {
  uint32_t containerId;
  uint32_t hostId;
  uint32_t size;
};

struct TimeOffsets {
  bool present;
  int64_t monotonicNs;
  int64_t boottimeNs;
};

struct MountPlan {
  const char* type;
  const char* source;
  const char* target;
  uint32_t flags;
  const char* data;
  uint32_t propagation;
};

struct RootfsPlan {
  bool present;
  const char* path;
  Span<MountPlan> mounts;
  bool readonly;
  uint32_t propagation;
};

enum class DeviceType : uint32_t { kCharacter, kBlock, kFifo };

struct DevicePlan {
  const char* path;
  DeviceType type;
  uint32_t major;
  uint32_t minor;
  uint32_t mode;
  uint32_t uid;
  uint32_t gid;
};

struct LinkPlan {
  const char* path;
  const char* target;
};

struct SysctlPlan {
  const char* key;
  const char* value;
};

enum class UserKind : uint32_t { kIds, kName };

struct UserPlan {
  UserKind kind;
  uint32_t uid;
  uint32_t gid;
  const char* name;
  Span<uint32_t> additionalGids;
};

struct CapabilitiesPlan {
  uint64_t bounding;
  uint64_t effective;
  uint64_t permitted;
  uint64_t inheritable;
  uint64_t ambient;
};

struct SeccompPlan {
  bool present;
  uint32_t flags;
  Span<const uint8_t> filter;
};

struct RlimitPlan {
  uint32_t resource;
  uint64_t soft;
  uint64_t hard;
};

struct TerminalPlan {
  bool present;
  uint32_t rows;
  uint32_t columns;
};

enum class StdinKind : uint32_t { kNull, kPipe, kPipeOnce };

struct ProcessPlan {
  Span<const char*> argv;  ///< followed by a null pointer
  /// Followed by two null pointers: one ends it, one is room for HOME.
  Span<const char*> env;
  const char* cwd;
  UserPlan user;
  CapabilitiesPlan capabilities;
  bool noNewPrivileges;
  SeccompPlan seccomp;
  Span<RlimitPlan> rlimits;
  bool hasOomScoreAdj;
  int32_t oomScoreAdj;
  bool hasUmask;
  uint32_t umask;
  TerminalPlan terminal;
  StdinKind stdinKind;
};

struct LaunchPlan {
  const char* id;
  const char* directory;
  OptionalText socketPath;
  bool hold;
  bool holdWorld;
  uint32_t logMaxFileBytes;
  NamespacePlan namespaces[kNamespaceCount];
  TargetProcess target;
  bool hasIdMappings;
  Span<IdMapping> uidMappings;
  Span<IdMapping> gidMappings;
  TimeOffsets timeOffsets;
  Span<const char*> cgroupTasksFiles;
  OptionalText cgroupDirectory;
  RootfsPlan rootfs;
  Span<MountPlan> mounts;
  Span<DevicePlan> devices;
  Span<LinkPlan> links;
  Span<const char*> maskedPaths;
  Span<const char*> readonlyPaths;
  OptionalText hostname;
  OptionalText domainname;
  Span<SysctlPlan> sysctl;
  ProcessPlan process;

  /// The process enters another container's mounts instead of making its own: an exec.
  bool joinsMounts() const noexcept {
    return namespaces[kMountNamespace].kind == NamespaceKind::kTarget;
  }
};

}  // namespace teu
