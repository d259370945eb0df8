#include "dm/volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>

#include <optional>
#include <utility>

#include "dm/ioctl.h"
#include "dm/space_limit.h"

namespace teu::dm {

Result<UniqueFd> Volumes::mount(std::uint64_t id, bool readOnly) const {
  Result<Node> node = pool_.node(id);
  if (!node) return node.status();
  return mountPrivately(node.value().path, type_, readOnly);
}

Result<std::optional<Figures>> Volumes::readUnmounted(std::uint64_t id) const {
  Result<UniqueFd> device = pool_.open(id, O_RDONLY);
  if (!device) return device.status().during("measure a volume");
  return readExt4Figures(device.value().get());
}

Result<Figures> Volumes::measure(std::uint64_t id) const {
  Result<Node> node = pool_.node(id);
  if (!node) return node.status();
  if (node.value().openCount == 0 && type_ == FilesystemType::ext4) {
    Result<std::optional<Figures>> read = readUnmounted(id);
    if (!read) return read.status();
    if (read.value()) return Figures(*read.value());
  }
  Result<UniqueFd> mounted = mount(id, false);
  if (!mounted) return mounted.status();
  return measureMounted(mounted.value().get(), type_);
}

/// Whether a volume was unmounted, and says so.
bool Volumes::isInOrder(std::uint64_t id) const {
  if (type_ != FilesystemType::ext4) return false;
  Result<std::optional<Figures>> read = readUnmounted(id);
  return read && read.value();
}

Status Volumes::settle(std::uint64_t id) const {
  if (!isInOrder(id)) {
    // Mounting does what a crash has left to do, and unmounting leaves nothing.
    Result<UniqueFd> mounted = mount(id, false);
    if (!mounted) return mounted.status();
  }
  Result<UniqueFd> device = pool_.open(id, O_RDWR);
  if (!device) return device.status().during("write to the disk");
  // The mapping of the volume becomes durable with it.
  return statusOf(sys::call(__NR_fsync, device.value().get()), "fsync").during("write to the disk");
}

Status Volumes::empty(std::uint64_t id) const {
  {
    Result<UniqueFd> mounted = mount(id, false);
    if (!mounted) return mounted.status();
    if (const Status done = emptyRoot(mounted.value().get()); !done) return done;
  }
  return settle(id);
}

Status Volumes::discard(std::uint64_t id, std::uint64_t bytes) const {
  Result<UniqueFd> device = pool_.open(id, O_RDWR | O_EXCL);
  if (!device) return device.status().during("free the blocks of a volume");
  std::uint64_t range[2] = {0, bytes};
  return control(device.value().get(), BLKDISCARD, range, "free the blocks of a volume");
}

Result<int> Volumes::hold(std::uint64_t id, bool readOnly) {
  const std::lock_guard lock(lock_);
  const auto found = held_.find(id);
  if (found != held_.end()) return found->second.get();
  Result<UniqueFd> mounted = mount(id, readOnly);
  if (!mounted) return mounted.status();
  const int fd = mounted.value().get();
  held_.insert_or_assign(id, std::move(mounted.value()));
  return int{fd};
}

void Volumes::release(std::uint64_t id) {
  const std::lock_guard lock(lock_);
  held_.erase(id);
}

Status Volumes::limit(std::uint64_t id, std::uint64_t maximumBytes) {
  Result<int> held = hold(id, false);
  if (!held) return held.status();
  Result<Node> node = pool_.node(id);
  if (!node) return node.status();
  Result<UniqueFd> device = pool_.open(id, O_RDONLY);
  if (!device) return device.status().during("limit a volume");
  const OpenDevice opened{.fd = device.value().get(), .number = node.value().number};
  return limitSpace(held.value(), type_, opened, maximumBytes);
}

Status Volumes::unlimit(std::uint64_t id) {
  Result<Node> node = pool_.node(id);
  if (!node) return node.status();
  Result<UniqueFd> mounted = mount(id, false);
  if (!mounted) return mounted.status();
  const Status done = unlimitSpace(mounted.value().get(), type_, node.value().number);
  if (done) release(id);
  return done;
}

}  // namespace teu::dm
