#include "produce/tar_member.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "produce/utf8.h"

namespace teu::produce {
namespace {

/// struct posix_header of ustar; all text or octal digits.
struct Header {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char userName[32];
  char groupName[32];
  char major[8];
  char minor[8];
  char prefix[155];
  char unused[12];
};
static_assert(sizeof(Header) == kBlockBytes);

constexpr std::uint64_t kSevenDigits = 07777777;
constexpr std::uint64_t kElevenDigits = 077777777777;
constexpr std::size_t kNameBytes = sizeof Header::name;

template <std::size_t N>
void putText(char (&field)[N], std::string_view text) {
  std::memcpy(field, text.data(), std::min(text.size(), N));
}

/// A number that does not fit is left 0: its record has it.
template <std::size_t N>
void putOctal(char (&field)[N], std::uint64_t value) {
  for (std::size_t at = N - 1; at-- > 0; value >>= 3) field[at] = "01234567"[value & 7];
  if (value != 0) std::fill_n(field, N - 1, '0');
}

void putChecksum(Header& header) {
  std::memset(header.checksum, ' ', sizeof header.checksum);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&header);
  unsigned sum = 0;
  for (std::size_t at = 0; at < sizeof header; ++at) sum += bytes[at];
  for (std::size_t at = 6; at-- > 0; sum >>= 3) header.checksum[at] = "01234567"[sum & 7];
  header.checksum[6] = '\0';
}

/// Length counts itself, its space and the line feed.
std::string record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (length != rest + std::to_string(length).size()) {
    length = rest + std::to_string(length).size();
  }
  return std::to_string(length).append(" ").append(key).append("=").append(value).append("\n");
}

/// "-1.5" is half a second before one second before 1970.
std::string decimalTime(std::int64_t seconds, std::uint32_t nanoseconds) {
  const bool negative = seconds < 0;
  if (negative && nanoseconds > 0) {
    seconds += 1;
    nanoseconds = 1'000'000'000 - nanoseconds;
  }
  std::string text = (negative ? "-" : "") + std::to_string(negative ? -seconds : seconds);
  if (nanoseconds == 0) return text;
  std::string digits = std::to_string(nanoseconds);
  digits.insert(0, 9 - digits.size(), '0');
  digits.erase(digits.find_last_not_of('0') + 1);
  return text + '.' + digits;
}

std::string recordsOf(const TarMember& member) {
  const bool longName = member.name.size() > kNameBytes && !member.sparse;
  const bool longLink = member.link.size() > kNameBytes;
  const bool isText = (!longName || isUtf8(member.name)) && (!longLink || isUtf8(member.link));
  std::string records;
  // Values are UTF-8 unless this says so.
  if (!isText) records += record("hdrcharset", "BINARY");
  if (longName) records += record("path", member.name);
  if (longLink) records += record("linkpath", member.link);
  if (member.uid > kSevenDigits) records += record("uid", std::to_string(member.uid));
  if (member.gid > kSevenDigits) records += record("gid", std::to_string(member.gid));
  if (member.size > kElevenDigits) records += record("size", std::to_string(member.size));
  const bool plainTime = member.nanoseconds == 0 && member.seconds >= 0 &&
                         static_cast<std::uint64_t>(member.seconds) <= kElevenDigits;
  if (!plainTime) records += record("mtime", decimalTime(member.seconds, member.nanoseconds));
  if (member.sparse) {
    records += record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") +
               record("GNU.sparse.name", member.name) +
               record("GNU.sparse.realsize", std::to_string(member.fileBytes));
  }
  for (const auto& [name, value] : member.attributes) {
    records += record("SCHILY.xattr." + name, value);
  }
  return records;
}

std::string encodeBlock(const TarMember& member) {
  Header header{};
  putText(header.name, member.name);
  putOctal(header.mode, member.mode);
  putOctal(header.uid, member.uid);
  putOctal(header.gid, member.gid);
  putOctal(header.size, member.size);
  putOctal(header.mtime, member.seconds < 0 ? 0 : static_cast<std::uint64_t>(member.seconds));
  header.type = member.type;
  putText(header.link, member.link);
  putText(header.magic, "ustar");
  putText(header.version, "00");
  putOctal(header.major, member.major);
  putOctal(header.minor, member.minor);
  putChecksum(header);
  return {reinterpret_cast<const char*>(&header), sizeof header};
}

/// Readers that do not know the form 1.0 write the map and the data to a file of this name.
std::string sparseName(const TarMember& member) {
  return ("GNUSparseFile.0/" + member.name).substr(0, kNameBytes);
}

}  // namespace

std::string encodeHeader(const TarMember& member) {
  std::string records = recordsOf(member);
  TarMember shown = member;
  if (member.sparse) shown.name = sparseName(member);
  if (records.empty()) return encodeBlock(shown);
  TarMember extension{.type = tarType::kExtension, .mode = 0644, .size = records.size()};
  std::string_view base = member.name;
  if (base.ends_with('/')) base.remove_suffix(1);
  base = base.substr(base.rfind('/') + 1);
  extension.name = ("PaxHeaders/" + std::string(base)).substr(0, kNameBytes);
  records.append(paddingOf(records.size()), '\0');
  return encodeBlock(extension) + records + encodeBlock(shown);
}

}  // namespace teu::produce
