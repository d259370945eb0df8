// The ioctls of device-mapper (linux/dm-ioctl.h), without libdevmapper: no udev is waited for, and
// none is needed, because who uses this makes the device nodes. Needs CAP_SYS_ADMIN.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace teu::dm {

/// Number of a block device.
struct DeviceNumber {
  unsigned major = 0;
  unsigned minor = 0;

  bool operator==(const DeviceNumber&) const = default;
  std::string text() const { return std::to_string(major) + ':' + std::to_string(minor); }
};

/// What the kernel says of a device.
struct DeviceState {
  DeviceNumber number;
  int openCount = 0;
  bool isReadOnly = false;
  bool isSuspended = false;
  /// Goes when it is closed.
  bool isLeaving = false;
  /// A device whose making was interrupted has none.
  bool hasTable = false;
};

/// The one line of a table that devices of ours have.
struct Target {
  std::uint64_t sectors = 0;
  std::string type;
  std::string parameters;
};

/// All methods may be called by several threads at once.
class DeviceMapper {
 public:
  DeviceMapper() = default;
  /// ENOENT or ENODEV if the kernel has no device-mapper.
  static Result<DeviceMapper> open();

  /// Whether the kernel knows a target; loads its module. EINVAL if not.
  Status findTarget(const char* type) const;
  /// Names of all devices of device-mapper.
  Result<std::vector<std::string>> list() const;
  /// ENXIO if there is none of this name, as for all the others.
  Result<DeviceState> state(const std::string& name) const;
  /// Makes a device that can be opened at once. EBUSY if there is one of this name.
  Status create(const std::string& name, const std::string& uuid, const Target& target,
                bool readOnly) const;
  /// Waits for writes that are under way and freezes the file system on it, which writes that out.
  Status suspend(const std::string& name) const;
  Status resume(const std::string& name) const;
  /// EBUSY if it is open.
  Status remove(const std::string& name) const;
  /// Has it removed when it is closed.
  Status removeWhenClosed(const std::string& name) const;
  Status message(const std::string& name, const std::string& text) const;
  /// What the target says of itself now, without writing anything out for it.
  Result<Target> status(const std::string& name) const;
  /// What it was made with.
  Result<Target> table(const std::string& name) const;

 private:
  int fd() const noexcept { return fd_.get(); }
  Status load(const std::string& name, const Target& target, bool readOnly) const;
  Result<Target> firstTarget(const std::string& name, unsigned flags) const;

  UniqueFd fd_{};
};

}  // namespace teu::dm
