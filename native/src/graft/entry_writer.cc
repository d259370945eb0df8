#include "graft/entry_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>

#include "graft/copy_data.h"
#include "graft/remove_tree.h"
#include "tree/mend_attributes.h"

namespace teu::graft {
namespace {

constexpr const char* kMaking = "make an entry";
constexpr int kReadFile = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
/// For nobody else until it has its owner and mode.
constexpr mode_t kPrivate = 0600;
constexpr mode_t kPrivateDirectory = 0700;

using tree::Attribute;
using tree::EntryFacts;
using tree::EntryType;

const Attribute* findAttribute(const std::vector<Attribute>& attributes, const std::string& name) {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const Attribute& one) { return one.name == name; });
  return found == attributes.end() ? nullptr : &*found;
}

void setAttribute(std::vector<Attribute>& attributes, const Attribute& wanted) {
  std::erase_if(attributes, [&](const Attribute& one) { return one.name == wanted.name; });
  attributes.push_back(wanted);
}

/// What `present` becomes by the step from `old` to `changed`.
EntryFacts withChanges(const EntryFacts& present, const EntryFacts& old,
                       const EntryFacts& changed) {
  EntryFacts wanted = present;
  if (old.mode != changed.mode) wanted.mode = changed.mode;
  if (old.uid != changed.uid) wanted.uid = changed.uid;
  if (old.gid != changed.gid) wanted.gid = changed.gid;
  // The time of a directory is set when nothing is made in it any more.
  const bool touched = old.seconds != changed.seconds || old.nanoseconds != changed.nanoseconds;
  if (touched && changed.type != EntryType::kDirectory) {
    wanted.seconds = changed.seconds;
    wanted.nanoseconds = changed.nanoseconds;
  }
  for (const Attribute& one : old.attributes) {
    if (findAttribute(changed.attributes, one.name) != nullptr) continue;
    std::erase_if(wanted.attributes, [&](const Attribute& is) { return is.name == one.name; });
  }
  for (const Attribute& one : changed.attributes) {
    const Attribute* before = findAttribute(old.attributes, one.name);
    if (before == nullptr || before->value != one.value) setAttribute(wanted.attributes, one);
  }
  std::sort(wanted.attributes.begin(), wanted.attributes.end(),
            [](const Attribute& one, const Attribute& other) { return one.name < other.name; });
  return wanted;
}

bool sameFacts(const EntryFacts& one, const EntryFacts& other) {
  return one.mode == other.mode && one.uid == other.uid && one.gid == other.gid &&
         one.seconds == other.seconds && one.nanoseconds == other.nanoseconds &&
         one.attributes == other.attributes;
}

mode_t typeBits(EntryType type) {
  switch (type) {
    case EntryType::kCharacterDevice:
      return S_IFCHR;
    case EntryType::kBlockDevice:
      return S_IFBLK;
    case EntryType::kPipe:
      return S_IFIFO;
    default:
      return S_IFSOCK;
  }
}

}  // namespace

Outcome EntryWriter::clear(const char* name, const std::string& path, bool isDirectory,
                           bool& kept) {
  struct statx present {};
  bool there = false;
  if (Outcome looked = target_.lookAt(name, path, present, there); !looked) return looked;
  kept = there && isDirectory && S_ISDIR(present.stx_mode);
  return !there || kept ? Outcome{} : removeTree(target_.fd(), name, path);
}

Outcome EntryWriter::copy(const char* name, const std::string& path, const struct statx& info) {
  bool kept = false;
  if (Outcome cleared = clear(name, path, S_ISDIR(info.stx_mode), kept); !cleared) return cleared;
  EntryFacts facts;
  if (Outcome read = readEntry(changed_, name, path, info, facts); !read) return read;
  bool complete = false;
  if (!kept) {
    if (Outcome made = make(name, path, info, facts, complete); !made) return made;
  }
  return complete ? Outcome{} : describe(name, path, facts);
}

/// `complete` if it is a link to an entry that has its attributes.
Outcome EntryWriter::make(const char* name, const std::string& path, const struct statx& info,
                          const EntryFacts& facts, bool& complete) {
  const int directory = target_.fd();
  if (facts.type == EntryType::kDirectory) {
    if (mkdirat(directory, name, kPrivateDirectory) == 0) return {};
    return failureAt("mkdirat", kMaking, path, errno);
  }
  if (Outcome done = links_.link(info, directory, name, path, complete); !done || complete) {
    return done;
  }
  links_.remember(info, path);
  if (facts.type == EntryType::kLink) {
    if (symlinkat(facts.target.c_str(), directory, name) == 0) return {};
    return failureAt("symlinkat", kMaking, path, errno);
  }
  if (facts.type == EntryType::kFile) {
    const UniqueFd from(openat(changed_.fd(), name, kReadFile));
    if (!from) return failureAt("openat", kMaking, path, errno);
    return copyFile(from.get(), name, path, info.stx_size);
  }
  const dev_t device = facts.isDevice() ? makedev(info.stx_rdev_major, info.stx_rdev_minor) : 0;
  if (mknodat(directory, name, typeBits(facts.type) | kPrivate, device) == 0) return {};
  return failureAt("mknodat", kMaking, path, errno);
}

Outcome EntryWriter::copyFile(int from, const char* name, const std::string& path,
                              std::uint64_t size) {
  constexpr int kMake = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const UniqueFd to(openat(target_.fd(), name, kMake, kPrivate));
  if (!to) return failureAt("openat", kMaking, path, errno);
  return copyData(from, to.get(), size, path);
}

/// Gives an entry of the new tree these attributes, whatever it has: a directory with default ACLs
/// gives some to what is made in it.
Outcome EntryWriter::describe(const char* name, const std::string& path, const EntryFacts& wanted) {
  struct statx info {};
  bool there = false;
  if (Outcome looked = target_.lookAt(name, path, info, there); !looked) return looked;
  if (!there) return failureAt("statx", kMaking, path, ENOENT);
  EntryFacts present;
  if (Outcome read = readEntry(target_, name, path, info, present); !read) return read;
  return tree::mendAttributes(name, wanted, present);
}

Outcome EntryWriter::copyDirectory(int source, const char* name, const std::string& path) {
  bool kept = false;
  if (Outcome cleared = clear(name, path, true, kept); !cleared) return cleared;
  if (!kept && mkdirat(target_.fd(), name, kPrivateDirectory) != 0) {
    return failureAt("mkdirat", kMaking, path, errno);
  }
  struct statx info {};
  if (statx(source, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &info) != 0 || fchdir(source) != 0) {
    return failureAt("statx", kMaking, path, errno);
  }
  EntryFacts facts;
  tree::FirstNames unused;
  std::uint64_t bytesRead = 0;
  constexpr tree::FactsWanted kLooks{.content = false, .otherNames = false};
  if (Outcome read = tree::readFacts({path, ".", info}, kLooks, unused, facts, bytesRead); !read) {
    return read;
  }
  return describe(name, path, facts);
}

Outcome EntryWriter::applyAttributes(const Pair& pair, const Difference& difference,
                                     const struct statx& info, bool& changed) {
  EntryFacts present;
  if (Outcome read = readEntry(target_, pair.name, pair.path, info, present); !read) return read;
  const EntryFacts wanted = withChanges(present, difference.old, difference.changed);
  changed = !sameFacts(present, wanted);
  if (!changed) return {};
  // A name that was parted from the others of its file, and then changed: the others stay as they
  // are.
  const bool parted = pair.changed->stx_nlink != pair.old->stx_nlink;
  if (parted && wanted.type == EntryType::kFile && info.stx_nlink > 1) {
    if (Outcome done = separate(pair.name, pair.path, info.stx_size); !done) return done;
  }
  return describe(pair.name, pair.path, wanted);
}

/// Makes a name of the new tree a file of its own.
Outcome EntryWriter::separate(const char* name, const std::string& path, std::uint64_t size) {
  const UniqueFd from(openat(target_.fd(), name, kReadFile));
  if (!from) return failureAt("openat", kMaking, path, errno);
  if (unlinkat(target_.fd(), name, 0) != 0) return failureAt("unlinkat", kMaking, path, errno);
  return copyFile(from.get(), name, path, size);
}

}  // namespace teu::graft
