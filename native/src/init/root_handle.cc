#include "init/root_handle.h"

#include <linux/openat2.h>

#include "sys/mounts.h"
#include "sys/text.h"

namespace teu {
namespace {

constexpr int kEnoent = 2;
constexpr int kEexist = 17;
constexpr int kEinval = 22;
constexpr int kEloop = 40;
constexpr int kEstale = 116;
constexpr int kEnametoolong = 36;
constexpr uint64_t kInRoot = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
constexpr unsigned kDirectoryMode = 0755;
constexpr unsigned kFileMode = 0644;
constexpr int kMaxLinks = 10;

/// Where the component after `at` ends.
size_t componentEnd(const char* path, size_t at) noexcept {
  while (path[at] == '/') ++at;
  while (path[at] != '\0' && path[at] != '/') ++at;
  return at;
}

const char* lastComponent(const char* path) noexcept {
  const char* last = path;
  for (const char* at = path; *at != '\0'; ++at) {
    if (*at == '/') last = at + 1;
  }
  return last;
}

/// Makes `name` below `parent` and opens it without following anything.
Result<UniqueFd> makeDirectoryBelow(int parent, const char* name) noexcept {
  const Status made = sys::makeDirectoryAt(parent, name, kDirectoryMode);
  if (!made && made.error().number != kEexist) return made;
  return sys::openResolved(parent, name, abi::kOpenPath | abi::kOpenDirectory, 0,
                           RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

}  // namespace

Result<UniqueFd> RootHandle::open(const char* path, int flags) const noexcept {
  return sys::openResolved(root_.get(), path, flags, 0, kInRoot);
}

Result<UniqueFd> RootHandle::openWithoutLinks(const char* path, int flags) const noexcept {
  return sys::openResolved(root_.get(), path, flags, 0, kInRoot | RESOLVE_NO_SYMLINKS);
}

Result<UniqueFd> RootHandle::openOrMakeDirectory(const char* path) const noexcept {
  constexpr int kFlags = abi::kOpenPath | abi::kOpenDirectory;
  Result<UniqueFd> existing = open(path, kFlags);
  if (existing || existing.error().number != kEnoent) return existing;

  Result<UniqueFd> parent = open("/", kFlags);
  for (size_t from = 0; parent && path[from] != '\0';) {
    const size_t end = componentEnd(path, from);
    TextBuffer<kPathCapacity> prefix;
    prefix.add(TextView(path, end));
    if (prefix.overflowed()) return brokenRule(kEnametoolong, "openat2");
    Result<UniqueFd> next = open(prefix.text(), kFlags);
    if (!next && next.error().number == kEnoent) {
      next = makeDirectoryBelow(parent.value().get(), lastComponent(prefix.text()));
    }
    if (!next) return next;
    parent = static_cast<Result<UniqueFd>&&>(next);
    from = end;
    while (path[from] == '/') ++from;
  }
  return parent;
}

Result<RootHandle::Place> RootHandle::openOrMakeParent(const char* path) const noexcept {
  const char* name = lastComponent(path);
  if (*name == '\0' || sameText(name, ".") || sameText(name, "..")) {
    return brokenRule(kEinval, "openat2");
  }
  TextBuffer<kPathCapacity> directory;
  directory.add(TextView(path, static_cast<size_t>(name - path)));
  if (directory.overflowed()) return brokenRule(kEnametoolong, "openat2");
  Result<UniqueFd> parent = openOrMakeDirectory(directory.text());
  if (!parent) return parent.status();
  return Place{.directory = static_cast<UniqueFd&&>(parent.value()), .name = name};
}

Result<UniqueFd> RootHandle::openOrMakeFile(const char* path) const noexcept {
  TextBuffer<kPathCapacity> place;
  place.add(path);
  if (place.overflowed()) return brokenRule(kEnametoolong, "openat2");
  for (int links = 0; links <= kMaxLinks; ++links) {
    Result<UniqueFd> file = openOrMakePlainFile(place.text());
    if (file || file.error().number != kEexist) return file;
    if (Status followed = followLink(place); !followed) return followed;
  }
  return brokenRule(kEloop, "openat");
}

/// Replaces a path whose last component is a link by what that link says. Whatever that is, it is
/// resolved inside the root like any other path.
Status RootHandle::followLink(TextBuffer<kPathCapacity>& path) const noexcept {
  Result<Place> link = openOrMakeParent(path.text());
  if (!link) return link.status();
  const char* name = link.value().name;
  char target[kPathCapacity];
  Result<size_t> length =
      sys::readLinkAt(link.value().directory.get(), name, target, sizeof target);
  if (!length) return length.status();
  TextBuffer<kPathCapacity> next;
  if (target[0] != '/') next.add(TextView(path.text(), static_cast<size_t>(name - path.text())));
  next.add(TextView(target, length.value()));
  if (next.overflowed()) return brokenRule(kEnametoolong, "readlinkat");
  path = next;
  return {};
}

Result<UniqueFd> RootHandle::openOrMakePlainFile(const char* path) const noexcept {
  Result<UniqueFd> existing = open(path, abi::kOpenPath);
  if (existing || existing.error().number != kEnoent) return existing;
  Result<Place> place = openOrMakeParent(path);
  if (!place) return place.status();
  const int directory = place.value().directory.get();
  constexpr int kFlags =
      abi::kOpenWriteOnly | abi::kOpenCreate | abi::kOpenExclusive | abi::kOpenNoFollow;
  // The handle of the file itself, not of whatever has that name a moment later.
  return sys::openAt(directory, place.value().name, kFlags, kFileMode);
}

Status RootHandle::attach(int mount, int target, const char* path) const noexcept {
  Result<sys::FileInfo> root = sys::fileInfo(root_.get());
  Result<sys::FileInfo> place = sys::fileInfo(target);
  Result<sys::FileInfo> mounted = sys::fileInfo(mount);
  if (!root) return root.status();
  if (!place) return place.status();
  if (!mounted) return mounted.status();
  if (place.value().sameObject(root.value())) {
    return brokenRule(kEinval, "mount target is the root").on(path);
  }
  if (Status attached = sys::attachMount(mount, target); !attached) return attached;
  Result<UniqueFd> seen = open(path, abi::kOpenPath);
  if (!seen) return seen.status();
  Result<sys::FileInfo> top = sys::fileInfo(seen.value().get());
  if (!top) return top.status();
  if (top.value().mountId != mounted.value().mountId) {
    return brokenRule(kEstale, "mount target moved").on(path);
  }
  return {};
}

}  // namespace teu
