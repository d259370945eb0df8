// The texts of a container's USER, /etc/passwd and /etc/group. All of it is the image's word:
// bounded, and read strictly.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sys/text.h"

namespace teu {

inline constexpr uint32_t kMaxId = 0x7fffffff;

/// One side of `user[:group]`.
struct AccountName {
  enum class Form { kAbsent, kNumber, kName, kInvalid };
  Form form = Form::kAbsent;
  uint32_t number = 0;
  TextView name;
};

struct UserRequest {
  AccountName user;
  AccountName group;

  bool valid() const noexcept {
    using Form = AccountName::Form;
    return user.form != Form::kInvalid && user.form != Form::kAbsent &&
           group.form != Form::kInvalid;
  }
};

/// What begins with a digit is a number and nothing else: digits only, at most 2^31-1. A name is
/// `[A-Za-z_]` and then
/// `[A-Za-z0-9_.-]`, at most 256 long, with an optional last `$`.
UserRequest parseUserRequest(const char* text) noexcept;

/// Decimal digits only, at most 2^31-1.
bool parseId(TextView text, uint32_t& id) noexcept;

/// Takes the next line off the front of `text`. False at the end.
bool takeLine(TextView& text, TextView& line) noexcept;
/// Field `index` of a line cut at colons; empty beyond the last.
TextView fieldOf(TextView line, size_t index) noexcept;

struct PasswdEntry {
  TextView name;
  uint32_t uid = 0;
  uint32_t gid = 0;
  TextView home;
};
/// Absolute and without control characters.
bool isUsableHome(TextView home) noexcept;
/// False for a line that is not a whole entry with valid ids.
bool parsePasswdLine(TextView line, PasswdEntry& entry) noexcept;

struct GroupEntry {
  TextView name;
  uint32_t gid = 0;
  TextView members;

  bool hasMember(TextView user) const noexcept;
};
bool parseGroupLine(TextView line, GroupEntry& entry) noexcept;

bool sameText(TextView left, TextView right) noexcept;

}  // namespace teu
