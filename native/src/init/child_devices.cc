#include "init/child.h"
#include "sys/files.h"

namespace teu {
namespace {

constexpr int kEexist = 17;

unsigned typeBits(DeviceType type) noexcept {
  if (type == DeviceType::kCharacter) return abi::kModeCharacter;
  return type == DeviceType::kBlock ? abi::kModeBlock : abi::kModeFifo;
}

bool isThatDevice(const sys::FileInfo& file, const DevicePlan& device) noexcept {
  if (file.type() != typeBits(device.type)) return false;
  if (device.type == DeviceType::kFifo) return true;
  return file.deviceMajor == device.major && file.deviceMinor == device.minor;
}

Status makeDevice(const DevicePlan& device, const RootHandle& root) noexcept {
  Result<RootHandle::Place> place = root.openOrMakeParent(device.path);
  if (!place) return place.status();
  const int directory = place.value().directory.get();
  const char* name = place.value().name;
  const unsigned mode = device.mode | typeBits(device.type);
  const Status made = sys::makeNodeAt(directory, name, mode, device.major, device.minor);
  if (!made && made.error().number != kEexist) return made;

  // What lies there now is what counts, whether we or the image made it.
  Result<UniqueFd> node = sys::openAt(directory, name, abi::kOpenPath | abi::kOpenNoFollow);
  if (!node) return node.status();
  Result<sys::FileInfo> file = sys::fileInfo(node.value().get());
  if (!file) return file.status();
  if (!isThatDevice(file.value(), device)) return brokenRule(kEexist, "another file is there");
  if (file.value().uid == device.uid && file.value().gid == device.gid) return {};
  return sys::changeOwner(node.value().get(), device.uid, device.gid);
}

}  // namespace

Status makeDevices(const LaunchPlan& plan, const RootHandle& root) noexcept {
  for (const DevicePlan& device : plan.devices) {
    if (Status s = makeDevice(device, root); !s) return s.on(device.path);
  }
  return {};
}

Status makeLinks(const LaunchPlan& plan, const RootHandle& root) noexcept {
  for (const LinkPlan& link : plan.links) {
    Result<RootHandle::Place> place = root.openOrMakeParent(link.path);
    if (!place) return place.status().on(link.path);
    const RootHandle::Place& at = place.value();
    // What an image put there stays: a link of its own choosing inside its own root harms nobody
    // else.
    const Status made = sys::makeLinkAt(link.target, at.directory.get(), at.name);
    if (!made && made.error().number != kEexist) return made.on(link.path);
  }
  return {};
}

}  // namespace teu
