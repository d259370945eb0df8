#include "pack/plan_reader.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace teu::pack {
namespace {

constexpr std::size_t kHexDigits = 64;
// The longest line is that of a blob: its word, its digest, and twenty digits.
constexpr int kLineBytes = 128;

bool isHex(std::string_view text) {
  return text.size() == kHexDigits && std::ranges::all_of(text, [](char digit) {
           return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
         });
}

bool parsePiece(std::string_view line, Piece& piece) {
  const auto takeWord = [&line] {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
  };
  const std::string_view kind = takeWord();
  if (kind == "text") {
    piece.kind = Piece::Kind::kText;
  } else if (kind == "blob") {
    piece.kind = Piece::Kind::kBlob;
    piece.hex = takeWord();
    if (!isHex(piece.hex)) return false;
  } else {
    return false;
  }
  const std::string_view size = takeWord();
  const char* end = size.data() + size.size();
  const auto [stop, error] = std::from_chars(size.data(), end, piece.size);
  return error == std::errc{} && stop == end && line.empty();
}

}  // namespace

Outcome PlanReader::next(Piece& piece) {
  piece = {};
  char line[kLineBytes];
  if (std::fgets(line, sizeof line, input_) == nullptr) return {};
  std::string_view text = line;
  if (!text.ends_with('\n'))
    return layer::refused(layer::code::kUsage, "a line of the plan ends nowhere");
  text.remove_suffix(1);
  if (!parsePiece(text, piece))
    return layer::refused(layer::code::kUsage, "a line of the plan is malformed");
  return {};
}

std::size_t PlanReader::read(std::uint8_t* data, std::size_t size) {
  return std::fread(data, 1, size, input_);
}

}  // namespace teu::pack
