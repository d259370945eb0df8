#include "fuzz/mutator.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace teu::fuzz {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kMaxBytes = 64 << 10;
constexpr std::size_t kTypeAt = 156;
constexpr std::size_t kSizeAt = 124;
constexpr std::size_t kChecksumAt = 148;
constexpr std::size_t kMagicAt = 257;

constexpr std::string_view kWords[] = {
    "../",
    "/",
    "./",
    ".wh.",
    ".wh..wh..opq",
    "path=",
    "linkpath=",
    "size=",
    "mtime=",
    "uid=",
    "SCHILY.xattr.",
    "user.a=",
    "trusted.",
    "GNU.sparse.map=",
    "-1",
    "0,1",
    "2\n0\n1\n",
    "GNU.sparse.",
    "major=1",
    "9223372036854775807",
};
constexpr char kTypes[] = "01234567SLKxgV";

}  // namespace

void repairChecksums(Input& input) {
  for (std::size_t at = 0; at + kBlock <= input.size(); at += kBlock) {
    std::uint8_t* block = input.data() + at;
    if (std::memcmp(block + kMagicAt, "ustar", 5) != 0) continue;
    std::memset(block + kChecksumAt, ' ', 8);
    unsigned sum = 0;
    for (std::size_t byte = 0; byte < kBlock; ++byte) sum += block[byte];
    char text[8];
    std::snprintf(text, sizeof text, "%06o", sum);
    std::memcpy(block + kChecksumAt, text, 7);
  }
}

void Mutator::change(Input& input, const Input& other) {
  if (input.empty()) input.resize(kBlock);
  const std::size_t at = below(input.size());
  const std::size_t block = at / kBlock * kBlock;
  switch (below(10)) {
    case 0:
      input[at] = static_cast<std::uint8_t>(random_());
      break;
    case 1:
      input[at] ^= static_cast<std::uint8_t>(1U << below(8));
      break;
    case 2: {
      const std::string_view word = kWords[below(std::size(kWords))];
      const std::size_t room = std::min(word.size(), input.size() - at);
      std::copy_n(word.begin(), room, input.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    }
    case 3:  // The name of a header.
      if (block + kBlock <= input.size()) {
        const std::string_view word = kWords[below(std::size(kWords))];
        std::copy(word.begin(), word.end(), input.begin() + static_cast<std::ptrdiff_t>(block));
      }
      break;
    case 4:
      if (block + kTypeAt < input.size()) {
        input[block + kTypeAt] = static_cast<std::uint8_t>(kTypes[below(sizeof kTypes)]);
      }
      break;
    case 5:  // A size: octal, or of base 256 with whatever is there.
      if (block + kSizeAt + 12 <= input.size()) {
        if (below(4) == 0)
          input[block + kSizeAt] |= 0x80;
        else
          input[block + kSizeAt + 5 + below(6)] = static_cast<std::uint8_t>('0' + below(8));
      }
      break;
    case 6:
      input.resize(at);
      break;
    case 7:  // Blocks of the other one, in between or at the end.
      if (other.size() >= kBlock) {
        const std::size_t from = below(other.size() / kBlock) * kBlock;
        const std::size_t most = std::min<std::size_t>(other.size() - from, 4 * kBlock);
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(block),
                     other.begin() + static_cast<std::ptrdiff_t>(from),
                     other.begin() + static_cast<std::ptrdiff_t>(from + most));
      }
      break;
    case 8: {
      const std::size_t last = std::min(input.size(), block + kBlock);
      input.erase(input.begin() + static_cast<std::ptrdiff_t>(block),
                  input.begin() + static_cast<std::ptrdiff_t>(last));
      break;
    }
    default:
      std::fill_n(input.begin() + static_cast<std::ptrdiff_t>(at),
                  std::min<std::size_t>(input.size() - at, 1 + below(16)), std::uint8_t{0});
      break;
  }
  if (input.size() > kMaxBytes) input.resize(kMaxBytes);
}

Input Mutator::mutate(const Input& input, const Input& other) {
  Input changed = input;
  for (std::size_t times = 1 + below(4); times > 0; --times) change(changed, other);
  // Now and then the checksum itself is what is tried.
  if (below(16) != 0) repairChecksums(changed);
  return changed;
}

}  // namespace teu::fuzz
