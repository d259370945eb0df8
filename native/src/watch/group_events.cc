#include "watch/group_events.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>

#include "sys/files.h"

namespace teu::watch {

Result<UniqueFd> makeEvent() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  return fdOf(fd < 0 ? -errno : fd, "eventfd");
}

Status notify(int group, int event, const char* file, const std::string& argument) {
  Result<UniqueFd> source = sys::openAt(group, file, O_RDONLY);
  if (!source) return source.status().on(file);
  Result<UniqueFd> control = sys::openAt(group, "cgroup.event_control", O_WRONLY);
  if (!control) return control.status().on("cgroup.event_control");
  const std::string line =
      std::to_string(event) + ' ' + std::to_string(source.value().get()) + ' ' + argument;
  return sys::writeAll(control.value().get(), line.data(), line.size()).on(file);
}

}  // namespace teu::watch
