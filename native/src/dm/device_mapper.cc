#include "dm/device_mapper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <string.h>

#include <memory>
#include <utility>

#include "dm/ioctl.h"
#include "sys/files.h"

namespace teu::dm {
namespace {

constexpr const char* kControl = "/dev/mapper/control";
/// A table or message of ours has some hundred bytes.
constexpr std::size_t kBufferBytes = 16 << 10;
/// A list of devices has at most that, or 64 thousand of them.
constexpr std::size_t kLongestList = 16 << 20;
/// What libdevmapper tells udev's rules by a "cookie" (libdevmapper.h, DM_UDEV_DISABLE_*): that
/// they are to make no links, look for nothing on the device, and call nobody. A scan would hold it
/// open.
constexpr std::uint32_t kUdevStaysAway = 0x6fU << 16;

/// The argument of every ioctl: a header, and what belongs to it.
class Request {
 public:
  explicit Request(std::size_t bytes)
      : bytes_(bytes), memory_(std::make_unique<std::byte[]>(bytes)) {
    header_ = new (memory_.get()) dm_ioctl{};
    header_->version[0] = DM_VERSION_MAJOR;
    header_->data_size = static_cast<std::uint32_t>(bytes);
    header_->data_start = sizeof *header_;
  }

  explicit Request(const std::string& name) : Request(kBufferBytes) {
    fits_ = name.size() < sizeof header_->name;
    if (fits_) name.copy(header_->name, name.size());
  }

  dm_ioctl& header() noexcept { return *header_; }
  std::byte* data() noexcept { return memory_.get() + sizeof *header_; }

  /// Copies text behind what has been put there, with a zero.
  void append(std::size_t at, const std::string& text) {
    fits_ = fits_ && at + text.size() + 1 <= bytes_ - sizeof *header_;
    if (fits_) text.copy(reinterpret_cast<char*>(data() + at), text.size());
  }

  Status make(int fd, unsigned long number, const char* step) {
    if (!fits_) return brokenRule(ENAMETOOLONG, "device-mapper request").during(step);
    return control(fd, number, header_, step);
  }

 private:
  std::size_t bytes_;
  std::unique_ptr<std::byte[]> memory_;
  dm_ioctl* header_ = nullptr;
  bool fits_ = true;
};

/// The kernel's wide form of a device number (include/linux/kdev_t.h, huge_encode_dev).
DeviceNumber numberOf(std::uint64_t device) {
  return {.major = static_cast<unsigned>((device & 0xfff00) >> 8),
          .minor = static_cast<unsigned>((device & 0xff) | ((device >> 12) & 0xfff00))};
}

/// A text of the kernel that ends with a zero, or with the buffer.
std::string textAt(const std::byte* from, const std::byte* end) {
  const auto* text = reinterpret_cast<const char*>(from);
  return std::string(text, strnlen(text, static_cast<std::size_t>(end - from)));
}

/// Reads a list of dm_name_list, each of which says how far it is to the next one.
std::vector<std::string> namesIn(const std::byte* data, std::size_t size) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at + sizeof(dm_name_list) < size;) {
    dm_name_list entry{};
    memcpy(&entry, data + at, sizeof entry);
    if (entry.dev == 0) break;
    names.push_back(textAt(data + at + offsetof(dm_name_list, name), data + size));
    if (entry.next == 0) break;
    at += entry.next;
  }
  return names;
}

}  // namespace

Result<DeviceMapper> DeviceMapper::open() {
  Result<UniqueFd> opened = sys::openAt(AT_FDCWD, kControl, O_RDWR | O_CLOEXEC);
  if (!opened) return opened.status().during("open device-mapper");
  DeviceMapper mapper;
  mapper.fd_ = std::move(opened.value());
  Request request(kBufferBytes);
  if (const Status spoken = request.make(mapper.fd(), DM_VERSION, "ask device-mapper"); !spoken) {
    return spoken;
  }
  return mapper;
}

Status DeviceMapper::findTarget(const char* type) const {
  Request request{std::string(type)};
  return request.make(fd(), DM_GET_TARGET_VERSION, "find a target of device-mapper");
}

Result<std::vector<std::string>> DeviceMapper::list() const {
  for (std::size_t bytes = kBufferBytes; bytes <= kLongestList; bytes *= 4) {
    Request request(bytes);
    const Status done = request.make(fd(), DM_LIST_DEVICES, "list devices");
    if (!done) return done;
    if ((request.header().flags & DM_BUFFER_FULL_FLAG) != 0) continue;
    return namesIn(request.data(), bytes - sizeof request.header());
  }
  return brokenRule(E2BIG, "list of devices");
}

Result<DeviceState> DeviceMapper::state(const std::string& name) const {
  Request request(name);
  if (const Status done = request.make(fd(), DM_DEV_STATUS, "look at a device"); !done) return done;
  const dm_ioctl& header = request.header();
  return DeviceState{.number = numberOf(header.dev),
                     .openCount = header.open_count,
                     .isReadOnly = (header.flags & DM_READONLY_FLAG) != 0,
                     .isSuspended = (header.flags & DM_SUSPEND_FLAG) != 0,
                     .isLeaving = (header.flags & DM_DEFERRED_REMOVE) != 0,
                     .hasTable = (header.flags & DM_ACTIVE_PRESENT_FLAG) != 0};
}

Status DeviceMapper::create(const std::string& name, const std::string& uuid, const Target& target,
                            bool readOnly) const {
  Request request(name);
  if (uuid.size() >= sizeof request.header().uuid) return brokenRule(ENAMETOOLONG, "uuid");
  uuid.copy(request.header().uuid, uuid.size());
  if (const Status made = request.make(fd(), DM_DEV_CREATE, "make a device"); !made) return made;
  Status done = load(name, target, readOnly);
  if (done) done = resume(name);
  // The first error is the one to tell.
  if (!done) (void)!remove(name);
  return done;
}

Status DeviceMapper::load(const std::string& name, const Target& target, bool readOnly) const {
  Request request(name);
  request.header().target_count = 1;
  if (readOnly) request.header().flags |= DM_READONLY_FLAG;
  auto* line = new (request.data()) dm_target_spec{};
  line->length = target.sectors;
  target.type.copy(line->target_type, sizeof line->target_type - 1);
  request.append(sizeof *line, target.parameters);
  return request.make(fd(), DM_TABLE_LOAD, "load the table of a device");
}

Status DeviceMapper::suspend(const std::string& name) const {
  Request request(name);
  request.header().flags |= DM_SUSPEND_FLAG;
  return request.make(fd(), DM_DEV_SUSPEND, "suspend a device");
}

Status DeviceMapper::resume(const std::string& name) const {
  Request request(name);
  request.header().event_nr = kUdevStaysAway;
  return request.make(fd(), DM_DEV_SUSPEND, "resume a device");
}

Status DeviceMapper::remove(const std::string& name) const {
  Request request(name);
  request.header().event_nr = kUdevStaysAway;
  return request.make(fd(), DM_DEV_REMOVE, "remove a device");
}

Status DeviceMapper::removeWhenClosed(const std::string& name) const {
  Request request(name);
  request.header().event_nr = kUdevStaysAway;
  request.header().flags |= DM_DEFERRED_REMOVE;
  return request.make(fd(), DM_DEV_REMOVE, "remove a device when it is closed");
}

Status DeviceMapper::message(const std::string& name, const std::string& text) const {
  Request request(name);
  new (request.data()) dm_target_msg{};
  request.append(offsetof(dm_target_msg, message), text);
  return request.make(fd(), DM_TARGET_MSG, "send a message");
}

Result<Target> DeviceMapper::status(const std::string& name) const {
  return firstTarget(name, DM_NOFLUSH_FLAG);
}

Result<Target> DeviceMapper::table(const std::string& name) const {
  return firstTarget(name, DM_STATUS_TABLE_FLAG | DM_NOFLUSH_FLAG);
}

Result<Target> DeviceMapper::firstTarget(const std::string& name, unsigned flags) const {
  Request request(name);
  request.header().flags |= flags;
  if (const Status done = request.make(fd(), DM_TABLE_STATUS, "read the table of a device");
      !done) {
    return done;
  }
  if (request.header().target_count == 0) return brokenRule(ENXIO, "device without table");
  const std::byte* const at = request.data();
  const std::byte* const end = at + kBufferBytes - sizeof request.header();
  dm_target_spec line{};
  memcpy(&line, at, sizeof line);
  const auto* type = reinterpret_cast<const std::byte*>(line.target_type);
  return Target{.sectors = line.length,
                .type = textAt(type, type + sizeof line.target_type),
                .parameters = textAt(at + sizeof line, end)};
}

}  // namespace teu::dm
