#include "layer/entry_metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "layer/limits.h"

namespace teu::layer {
namespace {

constexpr std::string_view kCapability = "security.capability";

/// struct vfs_cap_data (linux/capability.h): revision in the top byte of a little-endian word; 2
/// has 20 bytes, 3 has 24.
bool isCapability(std::string_view value) {
  if (value.size() < 4) return false;
  const auto revision = static_cast<std::uint8_t>(value[3]);
  return (revision == 2 && value.size() == 20) || (revision == 3 && value.size() == 24);
}

bool isUserAttribute(std::string_view name) {
  return name.starts_with("user.") && name.size() > 5 && !name.starts_with("user.overlay.");
}

}  // namespace

Outcome checkAttributes(const TarEntry& entry) {
  for (const Attribute& attribute : entry.attributes) {
    const bool capability = attribute.name == kCapability;
    if (!capability && !isUserAttribute(attribute.name)) {
      return refused(code::kAttribute, "the attribute \"" + attribute.name + "\" is reserved");
    }
    if (capability && (!isCapability(attribute.value) || entry.type != EntryType::kFile)) {
      return refused(code::kAttribute, "its security.capability is malformed or out of place");
    }
    if (attribute.name.size() > Limits::kNameBytes ||
        attribute.name.find('\0') != std::string::npos) {
      return refused(code::kAttribute, "the name of an attribute is malformed");
    }
    if (entry.type != EntryType::kFile && entry.type != EntryType::kDirectory) {
      return refused(code::kAttribute, "only files and directories may carry attributes");
    }
  }
  return {};
}

Outcome applyMetadata(int fd, const TarEntry& entry) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return sysFailure("fstat", "set metadata", errno);
  const bool ownerDiffers = info.st_uid != entry.uid || info.st_gid != entry.gid;
  if (ownerDiffers && fchown(fd, entry.uid, entry.gid) != 0) {
    return sysFailure("fchown", "set owner", errno);
  }
  // A change of owner clears the set-id bits, so the mode comes after it.
  const bool modeDiffers = (info.st_mode & 07777) != entry.mode;
  if ((modeDiffers || (ownerDiffers && (entry.mode & 06000) != 0)) && fchmod(fd, entry.mode) != 0) {
    return sysFailure("fchmod", "set mode", errno);
  }
  for (const Attribute& attribute : entry.attributes) {
    if (fsetxattr(fd, attribute.name.c_str(), attribute.value.data(), attribute.value.size(), 0) !=
        0) {
      return sysFailure("fsetxattr", "set attribute", errno);
    }
  }
  return {};
}

Outcome dropAttributes(int fd, const TarEntry& entry) {
  const ssize_t size = flistxattr(fd, nullptr, 0);
  if (size == 0 || (size < 0 && errno == EOPNOTSUPP)) return {};
  std::string names(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  const ssize_t got = size < 0 ? size : flistxattr(fd, names.data(), names.size());
  if (got < 0) return sysFailure("flistxattr", "set attribute", errno);
  for (std::string_view rest(names.data(), static_cast<std::size_t>(got)); !rest.empty();) {
    const std::string name(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    const auto stays = [&](const Attribute& attribute) { return attribute.name == name; };
    if (!isUserAttribute(name) || std::ranges::any_of(entry.attributes, stays)) continue;
    if (fremovexattr(fd, name.c_str()) != 0) {
      return sysFailure("fremovexattr", "set attribute", errno);
    }
  }
  return {};
}

Outcome applyNodeMetadata(int parentFd, const char* name, const TarEntry& entry) {
  if (fchownat(parentFd, name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return sysFailure("fchownat", "set owner", errno);
  }
  const timespec times[2] = {entry.accessed, entry.modified};
  if (utimensat(parentFd, name, times, AT_SYMLINK_NOFOLLOW) != 0) {
    return sysFailure("utimensat", "set times", errno);
  }
  return {};
}

}  // namespace teu::layer
