#include "union/control.h"

#include <string.h>
#include <unistd.h>

#include <charconv>
#include <optional>

namespace teu::unionfs {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

int digitOf(char letter) {
  const char* found = letter == '\0'
                          ? nullptr
                          : strchr(kHex, letter >= 'a' && letter <= 'f' ? letter - 32 : letter);
  return found == nullptr ? -1 : static_cast<int>(found - kHex);
}

std::optional<std::string> decode(std::string_view word) {
  std::string text;
  for (std::size_t at = 0; at < word.size(); ++at) {
    if (word[at] != '%') {
      text += word[at];
      continue;
    }
    if (at + 2 >= word.size()) return std::nullopt;
    const int high = digitOf(word[at + 1]);
    const int low = digitOf(word[at + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    text += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return text;
}

std::string encode(std::string_view text) {
  std::string word;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte > ' ' && byte < 0x7f && letter != '%' && letter != '=') {
      word += letter;
      continue;
    }
    word += '%';
    word += kHex[byte >> 4];
    word += kHex[byte & 15];
  }
  return word;
}

Status malformed() {
  return refusal(EPROTO, "malformed-request");
}

std::string failureText(const SysError& error) {
  const char* name = strerrorname_np(error.number);
  // The call is one word.
  std::string call = error.syscall;
  for (char& letter : call) letter = letter == ' ' ? '-' : letter;
  return std::string("error ") + (name == nullptr ? "EIO" : name) + ' ' + call + ' ' + error.step;
}

/// PERM=PATH
std::optional<BranchSpec> parseSpec(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  BranchSpec spec;
  const std::optional<std::string> path = decode(word.substr(equals + 1));
  if (!parsePermission(word.substr(0, equals), spec.permission) || !path || path->empty()) {
    return std::nullopt;
  }
  spec.path = *path;
  return spec;
}

std::optional<std::size_t> parseNumber(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<std::string> silent(const Status& status) {
  if (!status) return status;
  return std::string();
}

Result<std::string> setBranches(BranchChanges& changes, const std::vector<std::string>& words) {
  std::vector<BranchSpec> specs;
  for (const std::string& word : words) {
    const std::optional<BranchSpec> spec = parseSpec(word);
    if (!spec) return malformed();
    specs.push_back(*spec);
  }
  return silent(changes.set(specs));
}

}  // namespace

std::string Control::handle(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const std::size_t space = std::min(line.find(' '), line.size());
    if (space > 0) words.emplace_back(line.substr(0, space));
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  const std::optional<std::size_t> id = words.empty() ? std::nullopt : parseNumber(words.front());
  std::string answer = std::to_string(id.value_or(0)) + ' ';
  if (!id || words.size() < 2) return answer + failureText(malformed().error()) + '\n';
  Result<std::string> done = run(words[1], Words(words.begin() + 2, words.end()));
  if (!done) return answer + failureText(done.error()) + '\n';
  return answer + "ok" + done.value() + '\n';
}

Result<std::string> Control::run(const std::string& verb, const Words& words) {
  if (verb == "set") return setBranches(changes_, words);
  if (verb == "add" && words.size() == 2) {
    const std::optional<std::size_t> index = parseNumber(words.front());
    const std::optional<BranchSpec> spec = parseSpec(words.back());
    if (!index || !spec) return malformed();
    return silent(changes_.add(*index, *spec));
  }
  if (words.size() == 1) return runOne(verb, words.front());
  if (!words.empty()) return malformed();
  if (verb == "ping") return std::string();
  if (verb == "branches") return describeBranches();
  if (verb == "refresh") return silent(changes_.refresh());
  if (verb == "stat") return describeState();
  if (verb == "flush") return silent(changes_.flush());
  return malformed();
}

Result<std::string> Control::runOne(const std::string& verb, const std::string& word) {
  if (verb == "del") {
    const std::optional<std::string> path = decode(word);
    if (!path) return malformed();
    return silent(changes_.remove(*path));
  }
  if (verb == "mod") {
    const std::optional<BranchSpec> spec = parseSpec(word);
    if (!spec) return malformed();
    return silent(changes_.modify(*spec));
  }
  if (verb == "reval" && (word == "on" || word == "off")) {
    changes_.revalidate(word == "on");
    return std::string();
  }
  return malformed();
}

std::string Control::describeBranches() const {
  std::string words;
  for (const BranchSpec& spec : changes_.list()) {
    words += std::string(" ") + permissionName(spec.permission) + '=' + encode(spec.path);
  }
  return words;
}

std::string Control::describeState() {
  const std::shared_lock shared(files_.tree.lock);
  const std::lock_guard guard(files_.tree.table);
  const auto number = [](const char* name, std::uint64_t value) {
    return std::string(" ") + name + '=' + std::to_string(value);
  };
  return number("pid", static_cast<std::uint64_t>(getpid())) +
         number("nodes", files_.tree.nodes.nodes()) + number("open", files_.openFiles) +
         number("copies", files_.writer.copies()) +
         number("passthrough", files_.canPassThrough ? 1 : 0) +
         number("passed", files_.passedThrough) + number("pseudo", files_.tree.pseudoLinks.size()) +
         number("reval", files_.revalidates ? 1 : 0);
}

}  // namespace teu::unionfs
