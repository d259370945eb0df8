#include "tree/mend_attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

namespace teu::tree {
namespace {

constexpr const char* kStep = "mend attributes";

bool hasName(const std::vector<Attribute>& attributes, const std::string& name) {
  return std::any_of(attributes.begin(), attributes.end(),
                     [&](const Attribute& one) { return one.name == name; });
}

Outcome mendExtended(const char* name, const EntryFacts& wanted, const EntryFacts& present) {
  for (const Attribute& attribute : present.attributes) {
    if (hasName(wanted.attributes, attribute.name)) continue;
    if (lremovexattr(name, attribute.name.c_str()) != 0 && errno != ENODATA) {
      return failureAt("lremovexattr", kStep, wanted.path, errno);
    }
  }
  // All of them: a change of owner has removed a capability that was right before.
  for (const Attribute& attribute : wanted.attributes) {
    const std::string& value = attribute.value;
    if (lsetxattr(name, attribute.name.c_str(), value.data(), value.size(), 0) != 0) {
      return failureAt("lsetxattr", kStep, wanted.path, errno);
    }
  }
  return {};
}

}  // namespace

Outcome mendAttributes(const char* name, const EntryFacts& wanted, const EntryFacts& present) {
  const auto uid = static_cast<uid_t>(wanted.uid);
  const auto gid = static_cast<gid_t>(wanted.gid);
  if (fchownat(AT_FDCWD, name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return failureAt("fchownat", kStep, wanted.path, errno);
  }
  // A change of owner clears the set-id bits, so the mode comes after it; links have none to set.
  const bool link = wanted.type == EntryType::kLink;
  if (!link && fchmodat(AT_FDCWD, name, wanted.mode, 0) != 0) {
    return failureAt("fchmodat", kStep, wanted.path, errno);
  }
  if (Outcome mended = mendExtended(name, wanted, present); !mended) return mended;
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                             {.tv_sec = wanted.seconds, .tv_nsec = wanted.nanoseconds}};
  if (utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW) != 0) {
    return failureAt("utimensat", kStep, wanted.path, errno);
  }
  return {};
}

}  // namespace teu::tree
