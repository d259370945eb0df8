#include "union/options.h"

namespace teu::unionfs {
namespace {

/// DIR=PERM; the last "=" counts, since a path may have some.
bool parseBranch(std::string_view text, BranchSpec& spec) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  spec.path = text.substr(0, equals);
  return parsePermission(text.substr(equals + 1), spec.permission);
}

bool parseValue(std::string_view name, const char* value, MountOptions& options) {
  if (name == "--mount-point") {
    options.mountPoint = value;
  } else if (name == "--control") {
    options.control = value;
  } else if (name == "--source") {
    options.source = value;
  } else if (name == "--branch") {
    return parseBranch(value, options.branches.emplace_back());
  } else {
    return false;
  }
  return *value != '\0';
}

}  // namespace

bool parseMountOptions(int count, char** arguments, MountOptions& options, std::string& wrong) {
  for (int at = 0; at < count; at += 2) {
    if (at + 1 == count || !parseValue(arguments[at], arguments[at + 1], options)) {
      wrong = std::string("wrong: ") + arguments[at];
      return false;
    }
  }
  // The process leaves the directory it was started in.
  bool absolute = options.mountPoint.starts_with('/') && options.control.starts_with('/');
  for (const BranchSpec& spec : options.branches) absolute = absolute && spec.path.starts_with('/');
  if (absolute && !options.branches.empty()) return true;
  wrong = "--mount-point, --control and --branch are needed, with absolute paths";
  return false;
}

}  // namespace teu::unionfs
