#include "graft/options.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace teu::graft {
namespace {

using tree::Outcome;

Outcome refused(std::string message) {
  return Outcome(tree::Failure{
      .code = tree::code::kUsage, .message = std::move(message), .step = "read the arguments"});
}

Outcome addTree(std::string_view name, Options& options) {
  if (name != kOld && name != kChanged && name != kNew) return refused("a tree has no known name");
  if (options.has(std::string(name).c_str())) return refused("a tree is there twice");
  options.trees.push_back({.name = std::string(name), .readOnly = name != kNew});
  return {};
}

Outcome addMount(std::span<char* const, cage::kMountFields> fields, Options& options) {
  cage::MountCall mount;
  if (options.trees.empty()) return refused("--mount belongs behind a --tree");
  if (!cage::parseMountCall(fields, mount)) return refused("--mount has malformed flags");
  options.trees.back().mounts.push_back(std::move(mount));
  return {};
}

Outcome checkOptions(const Options& options) {
  if (options.cageDirectory.empty()) return refused("--cage is needed");
  if (!options.has(kChanged)) return refused("the changed tree is needed");
  const bool writes = options.command == Command::kTransplant;
  if (writes && !options.has(kOld)) return refused("transplant needs the old tree");
  if (writes != options.has(kNew)) return refused("the new tree is for transplant");
  const bool whole = std::none_of(options.trees.begin(), options.trees.end(),
                                  [](const cage::Tree& tree) { return tree.mounts.empty(); });
  return whole ? Outcome{} : refused("a tree has no mount");
}

}  // namespace

bool Options::has(const char* name) const noexcept {
  return std::any_of(trees.begin(), trees.end(),
                     [&](const cage::Tree& tree) { return tree.name == name; });
}

Outcome parseOptions(int count, char** arguments, Options& options) {
  std::span<char*> rest(arguments, static_cast<std::size_t>(count));
  const std::string_view command = rest.size() > 1 ? rest[1] : "";
  if (command != "compare" && command != "transplant") {
    return refused("the first argument is compare or transplant");
  }
  options.command = command == "compare" ? Command::kCompare : Command::kTransplant;
  for (rest = rest.subspan(2); !rest.empty();) {
    const std::string_view name = rest[0];
    const std::size_t fields =
        name == "--mount" ? cage::kMountFields : static_cast<std::size_t>(name != "--descends");
    if (rest.size() < fields + 1) return refused(std::string(name) + " lacks a value");
    Outcome read;
    if (name == "--descends") {
      options.descends = true;
    } else if (name == "--cage") {
      options.cageDirectory = rest[1];
    } else if (name == "--tree") {
      read = addTree(rest[1], options);
    } else if (name == "--mount") {
      read = addMount(rest.subspan<1, cage::kMountFields>(), options);
    } else {
      read = refused(std::string(name) + " is unknown");
    }
    if (!read) return read;
    rest = rest.subspan(fields + 1);
  }
  return checkOptions(options);
}

}  // namespace teu::graft
