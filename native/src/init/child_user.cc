#include "init/account_files.h"
#include "init/child.h"
#include "sys/files.h"
#include "sys/memory.h"

namespace teu {
namespace {

constexpr int kEnoent = 2;
constexpr int kEinval = 22;
constexpr int kEfbig = 27;
constexpr int kEnotsup = 95;
constexpr size_t kMaxFileBytes = 10 * 1024 * 1024;
constexpr size_t kMaxGroups = 64 * 1024;

/// A file's text; empty if there is no such file.
struct AccountFile {
  Mapping memory;
  TextView text;
};

Result<AccountFile> readAccountFile(const RootHandle& root, const char* path) noexcept {
  AccountFile file;
  // Not blocking: the image may have put a FIFO there.
  Result<UniqueFd> opened = root.open(path, abi::kOpenReadOnly | abi::kOpenNonBlocking);
  if (!opened && opened.error().number == kEnoent) return static_cast<AccountFile&&>(file);
  if (!opened) return opened.status().on(path);
  const int fd = opened.value().get();
  Result<sys::FileInfo> info = sys::fileInfo(fd);
  if (!info) return info.status().on(path);
  if (info.value().type() != abi::kModeRegular) {
    return brokenRule(kEnotsup, "not a regular file").on(path);
  }
  const size_t size = info.value().size;
  if (size > kMaxFileBytes) return brokenRule(kEfbig, "account file size").on(path);
  if (size == 0) return static_cast<AccountFile&&>(file);
  Result<Mapping> memory = Mapping::ofMemory(size, Mapping::Sharing::kPrivate);
  if (!memory) return memory.status().on(path);
  file.memory = static_cast<Mapping&&>(memory.value());
  size_t length = 0;
  while (length < size) {
    Result<size_t> part = sys::readSome(fd, file.memory.data() + length, size - length);
    if (!part) return part.status().on(path);
    if (part.value() == 0) break;
    length += part.value();
  }
  file.text = TextView(reinterpret_cast<const char*>(file.memory.data()), length);
  return static_cast<AccountFile&&>(file);
}

bool findPasswdEntry(TextView text, const AccountName& user, PasswdEntry& found) noexcept {
  TextView line;
  while (takeLine(text, line)) {
    PasswdEntry entry;
    if (!parsePasswdLine(line, entry)) continue;
    const bool matches = user.form == AccountName::Form::kNumber ? entry.uid == user.number
                                                                 : sameText(entry.name, user.name);
    if (!matches) continue;
    found = entry;
    return true;
  }
  return false;
}

bool findGroup(TextView text, TextView name, uint32_t& gid) noexcept {
  TextView line;
  while (takeLine(text, line)) {
    GroupEntry entry;
    if (!parseGroupLine(line, entry) || !sameText(entry.name, name)) continue;
    gid = entry.gid;
    return true;
  }
  return false;
}

/// Collects the list for setgroups(2).
class GroupList {
 public:
  Status reserve() noexcept {
    Result<Mapping> memory =
        Mapping::ofMemory(kMaxGroups * sizeof(uint32_t), Mapping::Sharing::kPrivate);
    if (!memory) return memory.status();
    groups_ = reinterpret_cast<uint32_t*>(memory.value().data());
    memory_ = static_cast<Mapping&&>(memory.value());
    return {};
  }

  Status add(uint32_t gid) noexcept {
    for (size_t at = 0; at < count_; ++at) {
      if (groups_[at] == gid) return {};
    }
    if (count_ == kMaxGroups) return brokenRule(kEinval, "too many groups");
    groups_[count_++] = gid;
    return {};
  }

  Span<const uint32_t> list() const noexcept { return {.data = groups_, .size = count_}; }
  Mapping takeMemory() noexcept { return static_cast<Mapping&&>(memory_); }

 private:
  Mapping memory_;
  uint32_t* groups_ = nullptr;
  size_t count_ = 0;
};

Status addMemberships(TextView groupText, TextView userName, GroupList& groups) noexcept {
  TextView line;
  while (takeLine(groupText, line)) {
    GroupEntry entry;
    if (!parseGroupLine(line, entry) || !entry.hasMember(userName)) continue;
    if (Status s = groups.add(entry.gid); !s) return s;
  }
  return {};
}

Result<ProgramUser> resolveByName(const UserPlan& plan, const RootHandle& root) noexcept {
  const UserRequest request = parseUserRequest(plan.name);
  if (!request.valid()) return brokenRule(kEinval, "invalid user").on(plan.name);
  Result<AccountFile> passwd = readAccountFile(root, "/etc/passwd");
  if (!passwd) return passwd.status();
  Result<AccountFile> group = readAccountFile(root, "/etc/group");
  if (!group) return group.status();

  ProgramUser user;
  PasswdEntry entry;
  const bool known = findPasswdEntry(passwd.value().text, request.user, entry);
  if (request.user.form == AccountName::Form::kNumber) {
    user.uid = request.user.number;
  } else if (known) {
    user.uid = entry.uid;
  } else {
    return brokenRule(kEnoent, "no such user in /etc/passwd").on(plan.name);
  }
  user.gid = known ? entry.gid : 0;

  GroupList groups;
  if (Status s = groups.reserve(); !s) return s;
  const AccountName& wanted = request.group;
  if (wanted.form == AccountName::Form::kNumber) {
    user.gid = wanted.number;
  } else if (wanted.form == AccountName::Form::kName &&
             !findGroup(group.value().text, wanted.name, user.gid)) {
    return brokenRule(kEnoent, "no such group in /etc/group").on(plan.name);
  }
  // With its own primary group in the list, a program cannot shake off a group that files deny
  // access to.
  if (Status s = groups.add(user.gid); !s) return s;
  if (wanted.form == AccountName::Form::kAbsent && known) {
    if (Status s = addMemberships(group.value().text, entry.name, groups); !s) return s;
  }
  for (const uint32_t gid : plan.additionalGids) {
    if (Status s = groups.add(gid); !s) return s;
  }
  user.groups = groups.list();
  user.memory = groups.takeMemory();
  return static_cast<ProgramUser&&>(user);
}

}  // namespace

void findHome(uint32_t uid, const RootHandle& root, HomeVariable& home) noexcept {
  Result<AccountFile> passwd = readAccountFile(root, "/etc/passwd");
  PasswdEntry entry;
  const AccountName user{.form = AccountName::Form::kNumber, .number = uid, .name = {}};
  // A home is a convenience: an image without a usable one gets the root, as with other engines.
  if (passwd && findPasswdEntry(passwd.value().text, user, entry) && isUsableHome(entry.home)) {
    home.add("HOME=").add(entry.home);
  }
  if (home.length() == 0 || home.overflowed()) home = HomeVariable().add("HOME=/");
}

Result<ProgramUser> resolveUser(const UserPlan& user, const RootHandle& root) noexcept {
  if (user.kind == UserKind::kName) return resolveByName(user, root);
  ProgramUser program;
  program.uid = user.uid;
  program.gid = user.gid;
  program.groups = {.data = user.additionalGids.data, .size = user.additionalGids.size};
  return static_cast<ProgramUser&&>(program);
}

}  // namespace teu
