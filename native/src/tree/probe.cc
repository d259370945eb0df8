#include "tree/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "sys/unique_fd.h"

namespace teu::tree {
namespace {

struct Attribute {
  const char* name;
  std::string_view value;
};

using namespace std::string_view_literals;

/// zfs-fuse 0.7 gives eight bytes back for a value as long as this.
constexpr std::array kLongValue = [] {
  std::array<char, 1000> value{};
  value.fill('v');
  return value;
}();

// The capability is cap_net_bind_service (linux/capability.h, version 2); the ACL is "user 5 may
// read" (linux/posix_acl_xattr.h).
constexpr std::array kAttributes = {
    Attribute{"user.teu", "1"sv},
    Attribute{"trusted.teu", "1"sv},
    Attribute{"user.long", {kLongValue.data(), kLongValue.size()}},
    Attribute{"security.capability", "\0\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv},
    Attribute{"system.posix_acl_access",
              "\2\0\0\0"
              "\1\0\6\0\377\377\377\377"
              "\2\0\4\0\5\0\0\0"
              "\4\0\4\0\377\377\377\377"
              "\20\0\4\0\377\377\377\377"
              "\40\0\0\0\377\377\377\377"sv},
};

bool keeps(int file, const Attribute& attribute) {
  if (fsetxattr(file, attribute.name, attribute.value.data(), attribute.value.size(), 0) != 0) {
    return false;
  }
  std::array<char, 2 * kLongValue.size()> found{};
  const ssize_t size = fgetxattr(file, attribute.name, found.data(), found.size());
  return size >= 0 &&
         std::string_view(found.data(), static_cast<std::size_t>(size)) == attribute.value;
}

/// What the ACL says of others than the owner is the mode of the group (acl(5)).
bool heedsAcl(int file) {
  struct stat found {};
  return fstat(file, &found) == 0 && (found.st_mode & S_IRWXG) == S_IRGRP;
}

}  // namespace

Outcome probeAttributes(const char* directory, bool& kept) {
  constexpr const char* kStep = "make a file to try";
  std::string path = std::string(directory) + "/.probe-XXXXXX";
  const UniqueFd file(mkostemp(path.data(), O_CLOEXEC));
  if (!file) return failureAt("mkostemp", kStep, "", errno);
  kept = true;
  // With a name until the end: some file systems take no attributes for a file without one.
  for (const Attribute& attribute : kAttributes) kept = kept && keeps(file.get(), attribute);
  kept = kept && heedsAcl(file.get());
  if (unlink(path.c_str()) != 0) return failureAt("unlink", "remove what was tried", "", errno);
  return {};
}

}  // namespace teu::tree
