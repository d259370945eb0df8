#include "dm/loop_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>

#include <string>
#include <utility>

#include "dm/ioctl.h"
#include "sys/files.h"

namespace teu::dm {
namespace {

/// Others may take a free one first, as often as that.
constexpr int kAttempts = 64;

Status configure(int loop, int file) {
  loop_config config{};
  config.fd = static_cast<__u32>(file);
  // Without the page cache of the file, as far as its file system can: pages are cached above.
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO;
  return control(loop, LOOP_CONFIGURE, &config, "attach a loop device");
}

}  // namespace

Result<LoopDevice> attachLoop(int file) {
  Result<UniqueFd> control = sys::openAt(AT_FDCWD, "/dev/loop-control", O_RDWR | O_CLOEXEC);
  if (!control) return control.status().during("attach a loop device");
  Status last;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const long number = sys::call(__NR_ioctl, control.value().get(), LOOP_CTL_GET_FREE, 0);
    if (number < 0) return statusOf(number, "ioctl").during("find a free loop device");
    const std::string path = "/dev/loop" + std::to_string(number);
    Result<UniqueFd> opened = sys::openAt(AT_FDCWD, path.c_str(), O_RDWR | O_CLOEXEC);
    if (!opened) return opened.status().during("open a loop device");
    last = configure(opened.value().get(), file);
    if (last) {
      Result<sys::FileInfo> info = sys::fileInfo(opened.value().get());
      if (!info) return info.status();
      return LoopDevice{.fd = std::move(opened.value()),
                        .number = {info.value().deviceMajor, info.value().deviceMinor}};
    }
    if (last.error().number != EBUSY) break;
  }
  return last;
}

}  // namespace teu::dm
