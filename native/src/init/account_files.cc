#include "init/account_files.h"

namespace teu {
namespace {

constexpr size_t kMaxNameLength = 256;
constexpr size_t kMaxIdDigits = 10;

bool isDigit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool isNameStart(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool isNamePart(char c) noexcept {
  return isNameStart(c) || isDigit(c) || c == '.' || c == '-';
}

bool isName(TextView text) noexcept {
  if (text.size == 0 || text.size > kMaxNameLength || !isNameStart(text.data[0])) return false;
  for (size_t at = 1; at < text.size; ++at) {
    const bool isLast = at + 1 == text.size;
    if (!isNamePart(text.data[at]) && !(isLast && text.data[at] == '$')) return false;
  }
  return true;
}

AccountName parseAccountName(TextView text) noexcept {
  AccountName account{.form = AccountName::Form::kInvalid, .name = text};
  if (text.size > 0 && isDigit(text.data[0])) {
    if (parseId(text, account.number)) account.form = AccountName::Form::kNumber;
  } else if (isName(text)) {
    account.form = AccountName::Form::kName;
  }
  return account;
}

}  // namespace

bool sameText(TextView left, TextView right) noexcept {
  if (left.size != right.size) return false;
  for (size_t at = 0; at < left.size; ++at) {
    if (left.data[at] != right.data[at]) return false;
  }
  return true;
}

bool parseId(TextView text, uint32_t& id) noexcept {
  if (text.size == 0 || text.size > kMaxIdDigits) return false;
  uint64_t value = 0;
  for (size_t at = 0; at < text.size; ++at) {
    if (!isDigit(text.data[at])) return false;
    value = value * 10 + static_cast<uint64_t>(text.data[at] - '0');
  }
  if (value > kMaxId) return false;
  id = static_cast<uint32_t>(value);
  return true;
}

UserRequest parseUserRequest(const char* text) noexcept {
  const size_t length = textLength(text);
  size_t colon = 0;
  while (colon < length && text[colon] != ':') ++colon;
  UserRequest request;
  request.user = parseAccountName(TextView(text, colon));
  if (colon < length) {
    request.group = parseAccountName(TextView(text + colon + 1, length - colon - 1));
  }
  return request;
}

bool takeLine(TextView& text, TextView& line) noexcept {
  if (text.size == 0) return false;
  size_t end = 0;
  while (end < text.size && text.data[end] != '\n') ++end;
  line = TextView(text.data, end);
  const size_t taken = end < text.size ? end + 1 : end;
  text = TextView(text.data + taken, text.size - taken);
  return true;
}

TextView fieldOf(TextView line, size_t index) noexcept {
  size_t start = 0;
  for (size_t at = 0;; ++at) {
    if (at < line.size && line.data[at] != ':') continue;
    if (index == 0) return TextView(line.data + start, at - start);
    if (at >= line.size) return {};
    --index;
    start = at + 1;
  }
}

bool isUsableHome(TextView home) noexcept {
  if (home.size == 0 || home.data[0] != '/') return false;
  for (size_t at = 0; at < home.size; ++at) {
    const unsigned char byte = static_cast<unsigned char>(home.data[at]);
    if (byte < ' ' || byte == 0x7f) return false;
  }
  return true;
}

bool parsePasswdLine(TextView line, PasswdEntry& entry) noexcept {
  entry.name = fieldOf(line, 0);
  entry.home = fieldOf(line, 5);
  return entry.name.size > 0 && parseId(fieldOf(line, 2), entry.uid) &&
         parseId(fieldOf(line, 3), entry.gid);
}

bool parseGroupLine(TextView line, GroupEntry& entry) noexcept {
  entry.name = fieldOf(line, 0);
  entry.members = fieldOf(line, 3);
  return entry.name.size > 0 && parseId(fieldOf(line, 2), entry.gid);
}

bool GroupEntry::hasMember(TextView user) const noexcept {
  size_t start = 0;
  for (size_t at = 0; at <= members.size; ++at) {
    if (at < members.size && members.data[at] != ',') continue;
    if (sameText(TextView(members.data + start, at - start), user)) return true;
    start = at + 1;
  }
  return false;
}

}  // namespace teu
