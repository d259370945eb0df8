#include "tree/options.h"

#include <span>
#include <string>

namespace teu::tree {
namespace {

Outcome refused(std::string message) {
  return Outcome(
      Failure{.code = code::kUsage, .message = std::move(message), .step = "read the arguments"});
}

bool parseCommand(std::string_view text, Command& command) {
  if (text == "usage")
    command = Command::kUsage;
  else if (text == "probe")
    command = Command::kProbe;
  else if (text == "manifest")
    command = Command::kManifest;
  else if (text == "hash")
    command = Command::kHash;
  else if (text == "digest")
    command = Command::kDigest;
  else if (text == "check")
    command = Command::kCheck;
  else if (text == "mend")
    command = Command::kMend;
  else
    return false;
  return true;
}

/// The flags that a command takes beside --idle, which all do.
bool parseFlag(std::string_view flag, Options& options) {
  const Command command = options.command;
  const bool compares = command == Command::kCheck || command == Command::kMend;
  if (flag == "--idle") return options.idle = true;
  if (command == Command::kUsage && flag == "--exclusive") return options.exclusive = true;
  if (command == Command::kManifest && flag == "--header") return options.header = true;
  if (compares && flag == "--read-data") return options.readData = true;
  if (command != Command::kHash) return false;
  if (flag == "--no-xattrs")
    options.attributes = false;
  else if (flag == "--no-hard-links")
    options.hardLinks = false;
  else if (flag == "--list")
    options.list = true;
  else
    return false;
  return true;
}

}  // namespace

Outcome parseOptions(int count, char** arguments, Options& options) {
  std::span<char*> rest(arguments, static_cast<std::size_t>(count));
  if (rest.size() < 3 || !parseCommand(rest[1], options.command)) {
    return refused("a command and a directory are needed");
  }
  options.directory = rest[2];
  rest = rest.subspan(3);
  if (options.command == Command::kCheck || options.command == Command::kMend) {
    if (rest.empty()) return refused("a manifest is needed");
    options.manifest = rest[0];
    rest = rest.subspan(1);
  }
  while (!rest.empty()) {
    const bool digest = *options.manifest != '\0' && std::string_view(rest[0]) == "--digest";
    if (digest && rest.size() > 1) {
      options.digest = rest[1];
      rest = rest.subspan(1);
    } else if (!parseFlag(rest[0], options)) {
      return refused(std::string("unknown argument ") + rest[0]);
    }
    rest = rest.subspan(1);
  }
  return {};
}

}  // namespace teu::tree
