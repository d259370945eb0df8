#include "conversation/words.h"

#include <errno.h>
#include <string.h>

#include <algorithm>
#include <charconv>

namespace teu::conversation {
namespace {

Words splitWords(std::string_view line) {
  Words words;
  while (!line.empty()) {
    const std::size_t space = std::min(line.find(' '), line.size());
    if (space > 0) words.push_back(line.substr(0, space));
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  return words;
}

std::string failureText(const SysError& error) {
  const char* name = strerrorname_np(error.number);
  // The call is one word.
  std::string call = error.syscall;
  for (char& letter : call) letter = letter == ' ' ? '-' : letter;
  return std::string("error ") + (name == nullptr ? "EIO" : name) + ' ' + call + ' ' + error.step;
}

}  // namespace

std::optional<std::uint64_t> parseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && !text.empty() ? std::optional(number) : std::nullopt;
}

Status malformed() {
  return brokenRule(EPROTO, "malformed request");
}

Result<Values> silent(const Status& status) {
  if (!status) return status;
  return Values{};
}

std::string answer(std::string_view line, const std::function<Result<Values>(const Words&)>& run) {
  Words words = splitWords(line);
  const std::optional<std::uint64_t> id = words.empty() ? std::nullopt : parseNumber(words.front());
  std::string text = std::to_string(id.value_or(0)) + ' ';
  if (!id || words.size() < 2) return text + failureText(malformed().error()) + '\n';
  words.erase(words.begin());
  Result<Values> done = run(words);
  if (!done) return text + failureText(done.error()) + '\n';
  text += "ok";
  for (const std::uint64_t value : done.value()) text += ' ' + std::to_string(value);
  return text + '\n';
}

}  // namespace teu::conversation
