// The steps of a launch, as errors name them.
#pragma once

namespace teu::step {

inline constexpr const char* kPlan = "plan";
inline constexpr const char* kSupervisor = "supervisor";
inline constexpr const char* kDirectory = "directory";
inline constexpr const char* kSocket = "socket";
inline constexpr const char* kClone = "clone";
inline constexpr const char* kCgroup = "cgroup";
inline constexpr const char* kNamespaces = "namespaces";
inline constexpr const char* kNetwork = "network";
inline constexpr const char* kRootfs = "rootfs";
inline constexpr const char* kMounts = "mounts";
inline constexpr const char* kDevices = "devices";
inline constexpr const char* kLinks = "links";
inline constexpr const char* kTerminal = "terminal";
inline constexpr const char* kPivot = "pivot";
inline constexpr const char* kMaskedPaths = "maskedPaths";
inline constexpr const char* kReadonlyPaths = "readonlyPaths";
inline constexpr const char* kSysctl = "sysctl";
inline constexpr const char* kHostname = "hostname";
inline constexpr const char* kRlimits = "rlimits";
inline constexpr const char* kOomScoreAdj = "oomScoreAdj";
inline constexpr const char* kUser = "user";
inline constexpr const char* kCwd = "cwd";
inline constexpr const char* kStdio = "stdio";
inline constexpr const char* kCapabilities = "capabilities";
inline constexpr const char* kSeccomp = "seccomp";
inline constexpr const char* kExec = "exec";
inline constexpr const char* kKilled = "killed";  ///< the child vanished during set-up

}  // namespace teu::step
