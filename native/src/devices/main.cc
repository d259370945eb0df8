// teu-devices DIRECTORY overridable|final RULE...: limits the device nodes that a cgroup of version
// 2 may use. See README.md.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <vector>

#include "devices/attach.h"
#include "devices/program.h"
#include "devices/rule.h"

namespace {

constexpr int kRefused = 1;
constexpr int kMisused = 2;
constexpr int kFirstRule = 3;

}  // namespace

int main(int count, char** arguments) {
  using namespace teu::devices;
  const bool overridable = count >= kFirstRule && strcmp(arguments[2], "overridable") == 0;
  if (count < kFirstRule || (!overridable && strcmp(arguments[2], "final") != 0)) {
    dprintf(STDERR_FILENO, "usage: teu-devices DIRECTORY overridable|final RULE...\n");
    return kMisused;
  }
  std::vector<Rule> rules;
  for (int i = kFirstRule; i < count; ++i) {
    const std::optional<Rule> rule = parseRule(arguments[i]);
    if (!rule) {
      dprintf(STDERR_FILENO, "this is no rule: %s\n", arguments[i]);
      return kMisused;
    }
    rules.push_back(*rule);
  }
  const teu::Status attached = attachProgram(arguments[1], makeProgram(rules), overridable);
  if (attached) return 0;
  const teu::SysError& error = attached.error();
  dprintf(STDERR_FILENO, "%s %s\n", error.step, strerrorname_np(error.number));
  return kRefused;
}
