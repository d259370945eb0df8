#include "watch/pressure_trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "sys/files.h"

namespace teu::watch {
namespace {

/// Leaves a capability out of those in effect, as long as it lives.
class WithoutCapability {
 public:
  explicit WithoutCapability(unsigned capability) {
    if (syscall(SYS_capget, &header_, before_) != 0) return;
    __user_cap_data_struct now[2] = {before_[0], before_[1]};
    now[capability / 32].effective &= ~(1U << (capability % 32));
    isChanged_ = syscall(SYS_capset, &header_, now) == 0;
  }
  ~WithoutCapability() {
    if (isChanged_) syscall(SYS_capset, &header_, before_);
  }
  WithoutCapability(const WithoutCapability&) = delete;
  WithoutCapability& operator=(const WithoutCapability&) = delete;

 private:
  __user_cap_header_struct header_{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct before_[2] = {};
  bool isChanged_ = false;
};

Result<UniqueFd> make(int group, const char* file, const std::string& trigger) {
  Result<UniqueFd> opened = sys::openAt(group, file, O_RDWR | O_NONBLOCK);
  if (!opened) return opened.status().on(file);
  // The kernel wants the NUL too.
  const Status written = sys::writeAll(opened.value().get(), trigger.c_str(), trigger.size() + 1);
  if (!written) return written.on(file);
  return std::move(opened.value());
}

}  // namespace

Result<UniqueFd> makePressureTrigger(int group, const char* file,
                                     std::uint64_t waitedMicroseconds) {
  const std::string trigger =
      "some " + std::to_string(waitedMicroseconds) + ' ' + std::to_string(kWindowMicroseconds);
  {
    const WithoutCapability cheap(CAP_SYS_RESOURCE);
    Result<UniqueFd> made = make(group, file, trigger);
    const int number = made ? 0 : made.error().number;
    if (number != EPERM && number != EACCES && number != EINVAL) return made;
  }
  return make(group, file, trigger);
}

}  // namespace teu::watch
