#include "tree/entry_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "tree/content_digest.h"

namespace teu::tree {
namespace {

constexpr const char* kStep = "read attributes";
/// XATTR_LIST_MAX and XATTR_SIZE_MAX of linux/limits.h are both this.
constexpr std::size_t kAttributeBytes = 65536;
/// Labels are the policy of the host and depend on where the tree lies; no image has them.
constexpr std::string_view kHostLabel = "security.selinux";

EntryType typeOf(unsigned mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return EntryType::kDirectory;
    case S_IFLNK:
      return EntryType::kLink;
    case S_IFCHR:
      return EntryType::kCharacterDevice;
    case S_IFBLK:
      return EntryType::kBlockDevice;
    case S_IFIFO:
      return EntryType::kPipe;
    case S_IFSOCK:
      return EntryType::kSocket;
    default:
      return EntryType::kFile;
  }
}

Outcome readValue(const Visited& entry, const char* name, std::vector<Attribute>& attributes) {
  static std::vector<char> buffer(kAttributeBytes);
  const ssize_t size = lgetxattr(entry.name, name, buffer.data(), buffer.size());
  if (size < 0) return failureAt("lgetxattr", kStep, entry.path, errno);
  attributes.push_back(
      {.name = name, .value = std::string(buffer.data(), static_cast<std::size_t>(size))});
  return {};
}

Outcome readAttributes(const Visited& entry, std::vector<Attribute>& attributes) {
  static std::vector<char> names(kAttributeBytes);
  const ssize_t size = llistxattr(entry.name, names.data(), names.size());
  if (size < 0) {
    return errno == EOPNOTSUPP ? Outcome{} : failureAt("llistxattr", kStep, entry.path, errno);
  }
  // Reading values uses other memory, so the list stays as it is.
  for (const char* at = names.data(); at < names.data() + size; at += std::strlen(at) + 1) {
    if (at == kHostLabel) continue;
    if (Outcome read = readValue(entry, at, attributes); !read) return read;
  }
  std::sort(attributes.begin(), attributes.end(),
            [](const Attribute& one, const Attribute& other) { return one.name < other.name; });
  return {};
}

Outcome readTarget(const Visited& entry, std::string& target) {
  char buffer[4096];  // PATH_MAX; no file system stores more
  const ssize_t size = readlinkat(AT_FDCWD, entry.name, buffer, sizeof buffer);
  if (size < 0) return failureAt("readlinkat", kStep, entry.path, errno);
  target.assign(buffer, static_cast<std::size_t>(size));
  return {};
}

}  // namespace

const char* describeType(EntryType type) noexcept {
  switch (type) {
    case EntryType::kFile:
      return "a file";
    case EntryType::kDirectory:
      return "a directory";
    case EntryType::kLink:
      return "a symbolic link";
    case EntryType::kCharacterDevice:
      return "a character device";
    case EntryType::kBlockDevice:
      return "a block device";
    case EntryType::kPipe:
      return "a named pipe";
    case EntryType::kSocket:
      return "a socket";
    case EntryType::kOtherName:
      return "another name of a file";
  }
  return "unknown";
}

const std::string* FirstNames::find(const Visited& entry) {
  if (entry.isDirectory() || entry.info.stx_nlink < 2) return nullptr;
  const auto [found, added] = names_.try_emplace({entry.device(), entry.info.stx_ino}, entry.path);
  return added ? nullptr : &found->second;
}

Outcome readFacts(const Visited& entry, const FactsWanted& wanted, FirstNames& names,
                  EntryFacts& facts, std::uint64_t& bytesRead) {
  const struct statx& info = entry.info;
  facts = EntryFacts{.type = typeOf(info.stx_mode), .path = entry.path};
  if (const std::string* first = wanted.otherNames ? names.find(entry) : nullptr) {
    facts.type = EntryType::kOtherName;
    facts.target = *first;
    return {};
  }
  facts.mode = info.stx_mode & 07777;
  facts.uid = info.stx_uid;
  facts.gid = info.stx_gid;
  facts.seconds = info.stx_mtime.tv_sec;
  facts.nanoseconds = info.stx_mtime.tv_nsec;
  if (facts.isDevice()) {
    facts.major = info.stx_rdev_major;
    facts.minor = info.stx_rdev_minor;
  }
  if (facts.type == EntryType::kLink) {
    if (Outcome read = readTarget(entry, facts.target); !read) return read;
  }
  if (wanted.attributes) {
    if (Outcome read = readAttributes(entry, facts.attributes); !read) return read;
  }
  if (facts.type != EntryType::kFile) return {};
  facts.size = info.stx_size;
  if (!wanted.content) return {};
  return digestContent(entry.name, entry.path, facts.content, bytesRead);
}

}  // namespace teu::tree
