#include "dm/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "conversation/words.h"
#include "dm/ioctl.h"
#include "dm/loop_device.h"
#include "sys/files.h"

namespace teu::dm {
namespace {

constexpr std::uint64_t kSectorBytes = 512;
/// The smallest that there is, because a container's first write to a block copies it.
constexpr std::uint64_t kBlockSectors = 128;
constexpr std::size_t kAlignment = 4096;

std::string withPrefix(const std::string& pool) {
  return pool.starts_with("teu-") ? pool : "teu-" + pool;
}

/// Opens a file of a pool, at least as long as is wanted.
Result<UniqueFd> openFile(int directory, const char* name, std::uint64_t bytes,
                          std::uint64_t& found) {
  Result<UniqueFd> file =
      sys::openAt(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (!file) return file.status().during("open a file of the pool");
  Result<sys::FileInfo> info = sys::fileInfo(file.value().get());
  if (!info) return info.status();
  found = info.value().size;
  if (found < bytes) {
    const Status longer = sys::truncate(file.value().get(), bytes);
    if (!longer) return longer.during("make a file of the pool");
    found = bytes;
  }
  const Status kept = statusOf(sys::call(__NR_fsync, file.value().get()), "fsync");
  if (!kept) return kept.during("make a file of the pool");
  return file;
}

/// Reads blocks of the metadata past the page cache, which does not see what the kernel's pool
/// writes.
ReadBlock blockReader(int device) {
  auto buffer = std::shared_ptr<void>(aligned_alloc(kAlignment, kMetadataBlockBytes), free);
  return [device, buffer](std::uint64_t block, std::span<std::byte> into) -> Status {
    Result<std::size_t> got =
        sys::readAt(device, buffer.get(), kMetadataBlockBytes, block * kMetadataBlockBytes);
    if (!got) return got.status().during("read the metadata of the pool");
    if (got.value() != kMetadataBlockBytes) return brokenRule(EBADMSG, "metadata of the pool");
    __builtin_memcpy(into.data(), buffer.get(), kMetadataBlockBytes);
    return {};
  };
}

}  // namespace

Pool::Pool(DeviceMapper mapper, std::string name)
    : mapper_(std::move(mapper)),
      name_(std::move(name)),
      prefix_(withPrefix(name_) + '-'),
      directory_("/dev/" + withPrefix(name_)) {}

Status Pool::probe() const {
  const Status pool = mapper_.findTarget("thin-pool");
  return pool ? mapper_.findTarget("thin") : pool;
}

Result<PoolStatus> Pool::status() const {
  Result<Target> target = mapper_.status(name_);
  if (!target) return target.status();
  if (target.value().type != "thin-pool") return brokenRule(EINVAL, "not a thin pool");
  const std::optional<PoolStatus> status = parsePoolStatus(target.value().parameters);
  if (!status) return brokenRule(EBADMSG, "status of the pool");
  return PoolStatus(*status);
}

Result<PoolTable> Pool::table() const {
  Result<Target> target = mapper_.table(name_);
  if (!target) return target.status();
  const std::optional<PoolTable> table = parsePoolTable(target.value().parameters);
  if (target.value().type != "thin-pool" || !table) return brokenRule(EINVAL, "not a thin pool");
  return PoolTable(*table);
}

Status Pool::make(int directory, const PoolFiles& files) const {
  std::uint64_t dataBytes = 0;
  std::uint64_t metadataBytes = 0;
  Result<UniqueFd> metadata = openFile(directory, "metadata", files.metadataBytes, metadataBytes);
  if (!metadata) return metadata.status();
  Result<UniqueFd> data = openFile(directory, "data", files.dataBytes, dataBytes);
  if (!data) return data.status();
  const Status kept = statusOf(sys::call(__NR_fsync, directory), "fsync");
  if (!kept) return kept.during("make a file of the pool");
  Result<LoopDevice> below = attachLoop(metadata.value().get());
  if (!below) return below.status();
  Result<LoopDevice> beside = attachLoop(data.value().get());
  if (!beside) return beside.status();
  const std::string parameters = below.value().number.text() + ' ' + beside.value().number.text() +
                                 ' ' + std::to_string(kBlockSectors) + ' ' +
                                 std::to_string(files.lowBlocks) + " 1 error_if_no_space";
  const std::uint64_t blockBytes = kBlockSectors * kSectorBytes;
  const Target target{.sectors = dataBytes / blockBytes * kBlockSectors,
                      .type = "thin-pool",
                      .parameters = parameters};
  return mapper_.create(name_, "TEU-" + name_, target, false);
}

Status Pool::drop() const {
  const Status done = mapper_.remove(name_);
  if (done) (void)!statusOf(sys::call(__NR_rmdir, directory_.c_str()), "rmdir");
  return done;
}

Status Pool::create(std::uint64_t id) const {
  return mapper_.message(name_, "create_thin " + std::to_string(id)).during("make a volume");
}

Status Pool::snapshot(std::uint64_t origin, std::uint64_t id) const {
  const std::string message = "create_snap " + std::to_string(id) + ' ' + std::to_string(origin);
  const std::lock_guard lock(lockOf(origin));
  Result<DeviceState> state = mapper_.state(volumeName(origin));
  // One that nobody can write to has nothing to write out.
  const bool isWritten = state && state.value().hasTable && !state.value().isReadOnly;
  if (isWritten) return snapshotFrozen(volumeName(origin), message);
  return mapper_.message(name_, message);
}

/// Whether a device has gone by itself, which was to go when it is closed. While it goes the kernel
/// counts it as suspended, and refuses to do what needs the opposite (drivers/md/dm.c,
/// __dm_destroy).
bool Pool::hasGone(const std::string& device, const Status& refused) const {
  const int number = refused.error().number;
  if (number != EINVAL) return number == ENXIO;
  const Result<DeviceState> state = mapper_.state(device);
  return !state && state.error().number == ENXIO;
}

Status Pool::snapshotFrozen(const std::string& origin, const std::string& message) const {
  if (const Status frozen = mapper_.suspend(origin); !frozen) {
    // Nothing of it waits to be written.
    return hasGone(origin, frozen) ? mapper_.message(name_, message) : frozen;
  }
  const Status made = mapper_.message(name_, message);
  const Status resumed = mapper_.resume(origin);
  if (!made || resumed || hasGone(origin, resumed)) return made;
  return resumed;
}

Status Pool::destroy(std::uint64_t id) const {
  return mapper_.message(name_, "delete " + std::to_string(id));
}

Status Pool::setTransaction(std::uint64_t from, std::uint64_t to) const {
  const std::string message =
      "set_transaction_id " + std::to_string(from) + ' ' + std::to_string(to);
  return mapper_.message(name_, message);
}

Status Pool::withMetadata(
    const std::function<Status(const ReadBlock& read, std::uint64_t root)>& work) const {
  const std::lock_guard lock(metadata_);
  Result<PoolTable> described = table();
  if (!described) return described.status();
  const auto [major, minor] = described.value().metadata;
  const std::string path = directory_ + "/metadata";
  (void)!sys::makeDirectoryAt(AT_FDCWD, directory_.c_str(), 0700);
  (void)!sys::unlinkAt(AT_FDCWD, path.c_str());
  const Status made = sys::makeNodeAt(AT_FDCWD, path.c_str(), S_IFBLK | 0600, major, minor);
  if (!made) return made.during("open the metadata of the pool");
  Result<UniqueFd> device = sys::openAt(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
  (void)!sys::unlinkAt(AT_FDCWD, path.c_str());
  if (!device) return device.status().during("open the metadata of the pool");
  if (const Status held = holdMetadata(); !held) return held;
  Result<PoolStatus> now = status();
  const Status done =
      now ? work(blockReader(device.value().get()), now.value().heldRoot) : now.status();
  const Status released = mapper_.message(name_, "release_metadata_snap");
  return done ? released : done;
}

Status Pool::holdMetadata() const {
  Result<PoolStatus> before = status();
  if (!before) return before.status();
  // What is held already is of a run that was ended in between.
  if (before.value().heldRoot != 0) (void)!mapper_.message(name_, "release_metadata_snap");
  return mapper_.message(name_, "reserve_metadata_snap").during("hold the metadata of the pool");
}

Result<std::vector<VolumeDetails>> Pool::volumes() const {
  std::vector<VolumeDetails> volumes;
  const Status done = withMetadata([&](const ReadBlock& read, std::uint64_t root) -> Status {
    Result<std::vector<VolumeDetails>> found = readVolumes(read, root);
    if (found) volumes = std::move(found.value());
    return found.status();
  });
  if (!done) return done;
  return volumes;
}

Result<std::uint64_t> Pool::ownBlocks(std::uint64_t id) const {
  std::uint64_t blocks = 0;
  const Status done = withMetadata([&](const ReadBlock& read, std::uint64_t root) -> Status {
    Result<std::uint64_t> counted = countOwnBlocks(read, root, id);
    if (counted) blocks = counted.value();
    return counted.status();
  });
  if (!done) return done;
  return std::uint64_t{blocks};
}

Status Pool::activate(std::uint64_t id, std::uint64_t bytes, bool readOnly) const {
  const std::lock_guard lock(lockOf(id));
  const std::string name = volumeName(id);
  Result<DeviceState> state = mapper_.state(name);
  if (!state && state.error().number != ENXIO) return state.status();
  if (!state) return build(id, bytes, readOnly);
  if (!state.value().hasTable || state.value().isReadOnly != readOnly) {
    const Status removed = mapper_.remove(name);
    if (!removed && removed.error().number != ENXIO) return removed;
    return build(id, bytes, readOnly);
  }
  if (state.value().isLeaving) {
    const Status stays = mapper_.message(name, "@cancel_deferred_remove");
    // It was closed in between.
    if (!stays && stays.error().number == ENXIO) return build(id, bytes, readOnly);
    if (!stays) return stays.during("keep a device");
  }
  if (state.value().isSuspended) {
    if (const Status resumed = mapper_.resume(name); !resumed) return resumed;
  }
  return makeNode(id, state.value().number);
}

Status Pool::build(std::uint64_t id, std::uint64_t bytes, bool readOnly) const {
  Result<DeviceState> pool = mapper_.state(name_);
  if (!pool) return pool.status();
  const Target target{.sectors = bytes / kSectorBytes,
                      .type = "thin",
                      .parameters = pool.value().number.text() + ' ' + std::to_string(id)};
  const std::string name = volumeName(id);
  const Status made = mapper_.create(name, "TEU-" + name, target, readOnly);
  if (!made) return made;
  Result<DeviceState> state = mapper_.state(name);
  return state ? makeNode(id, state.value().number) : state.status();
}

Result<bool> Pool::deactivate(std::uint64_t id) const {
  const std::lock_guard lock(lockOf(id));
  // Nobody is to open it any more.
  if (const Status hidden = removeNode(id); !hidden) return hidden;
  const std::string name = volumeName(id);
  const Status removed = mapper_.remove(name);
  if (removed || removed.error().number == ENXIO) return true;
  if (removed.error().number != EBUSY) return removed;
  const Status later = mapper_.removeWhenClosed(name);
  if (!later) return later;
  // It may have been closed in between.
  Result<DeviceState> state = mapper_.state(name);
  return !state;
}

Result<std::vector<std::uint64_t>> Pool::active() const {
  Result<std::vector<std::string>> names = mapper_.list();
  if (!names) return names.status();
  std::vector<std::uint64_t> ids;
  for (const std::string& name : names.value()) {
    if (!name.starts_with(prefix_)) continue;
    const auto id = conversation::parseNumber(std::string_view(name).substr(prefix_.size()));
    if (id) ids.push_back(*id);
  }
  return ids;
}

Result<Node> Pool::node(std::uint64_t id) const {
  Result<DeviceState> state = mapper_.state(volumeName(id));
  if (!state) return state.status();
  return Node{.path = directory_ + '/' + std::to_string(id),
              .number = state.value().number,
              .openCount = state.value().openCount};
}

Result<UniqueFd> Pool::open(std::uint64_t id, int flags) const {
  Result<Node> found = node(id);
  if (!found) return found.status();
  return sys::openAt(AT_FDCWD, found.value().path.c_str(), flags | O_CLOEXEC);
}

Result<std::uint64_t> Pool::mappedBytes(std::uint64_t id) const {
  Result<Target> target = mapper_.status(volumeName(id));
  if (!target) return target.status();
  const std::string_view text = target.value().parameters;
  const auto sectors = conversation::parseNumber(text.substr(0, text.find(' ')));
  if (!sectors) return brokenRule(EBADMSG, "status of a volume");
  return *sectors * kSectorBytes;
}

std::string Pool::volumeName(std::uint64_t id) const {
  return prefix_ + std::to_string(id);
}

Status Pool::removeNode(std::uint64_t id) const {
  const std::string path = directory_ + '/' + std::to_string(id);
  const Status removed = sys::unlinkAt(AT_FDCWD, path.c_str());
  return removed || removed.error().number == ENOENT ? Status{} : removed;
}

Status Pool::makeNode(std::uint64_t id, const DeviceNumber& number) const {
  const std::string path = directory_ + '/' + std::to_string(id);
  Result<sys::FileInfo> there = sys::fileInfoAt(AT_FDCWD, path.c_str());
  if (there && there.value().type() == S_IFBLK &&
      DeviceNumber{there.value().deviceMajor, there.value().deviceMinor} == number) {
    return {};
  }
  const Status folder = sys::makeDirectoryAt(AT_FDCWD, directory_.c_str(), 0700);
  if (!folder && folder.error().number != EEXIST) return folder.during("make a device node");
  if (const Status removed = removeNode(id); !removed) return removed;
  const Status made =
      sys::makeNodeAt(AT_FDCWD, path.c_str(), S_IFBLK | 0600, number.major, number.minor);
  return made.during("make a device node");
}

}  // namespace teu::dm
