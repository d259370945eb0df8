#include "union/branch_changes.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "union/pseudo_links.h"

namespace teu::unionfs {

std::vector<BranchSpec> BranchChanges::list() const {
  const std::shared_lock shared(files_.tree.lock);
  std::vector<BranchSpec> specs;
  for (const BranchPointer& branch : files_.tree.branches()) {
    specs.push_back({.path = branch->path, .permission = branch->permission});
  }
  return specs;
}

Status BranchChanges::set(const std::vector<BranchSpec>& specs) {
  BranchList previous;
  {
    const std::shared_lock shared(files_.tree.lock);
    previous = files_.tree.branches();
  }
  Result<BranchList> opened = openBranches(specs, previous);
  if (!opened) return opened.status();
  const auto isWritable = [](const BranchPointer& branch) { return branch->writable(); };
  const bool wasWritable = std::any_of(previous.begin(), previous.end(), isWritable);
  const BranchList& next = opened.value();
  const bool keepsOne = std::any_of(next.begin(), next.end(), isWritable);
  if (wasWritable && !keepsOne) return refusal(EBUSY, "the writable branch is in use");
  for (const BranchPointer& branch : previous) {
    if (!branch->writable() || std::find(next.begin(), next.end(), branch) != next.end()) continue;
    const bool other = std::any_of(next.begin(), next.end(), [&](const BranchPointer& kept) {
      return kept->writable() &&
             std::find(previous.begin(), previous.end(), kept) != previous.end();
    });
    if (!other) return refusal(EBUSY, "the writable branch is in use");
  }
  {
    const std::unique_lock lock(files_.tree.lock);
    files_.tree.setBranches(std::move(opened.value()));
  }
  tellKernel();
  return {};
}

Status BranchChanges::add(std::size_t index, const BranchSpec& spec) {
  std::vector<BranchSpec> specs = list();
  if (index > specs.size()) return refusal(EINVAL, "index of the branch");
  specs.insert(specs.begin() + static_cast<std::ptrdiff_t>(index), spec);
  return set(specs);
}

Status BranchChanges::remove(const std::string& path) {
  std::vector<BranchSpec> specs = list();
  const auto removed =
      std::erase_if(specs, [&](const BranchSpec& spec) { return spec.path == path; });
  if (removed == 0) return refusal(ENOENT, "no such branch");
  return set(specs);
}

Status BranchChanges::modify(const BranchSpec& spec) {
  std::vector<BranchSpec> specs = list();
  const auto found = std::find_if(specs.begin(), specs.end(),
                                  [&](const BranchSpec& known) { return known.path == spec.path; });
  if (found == specs.end()) return refusal(ENOENT, "no such branch");
  found->permission = spec.permission;
  return set(specs);
}

Status BranchChanges::refresh() {
  {
    const std::unique_lock lock(files_.tree.lock);
    files_.tree.forgetViews();
  }
  tellKernel();
  return {};
}

void BranchChanges::revalidate(bool on) {
  files_.revalidates = on;
  tellKernel();
}

/// The kernel may be waiting for an answer of ours while it holds what a message needs, so no lock
/// is held here.
void BranchChanges::tellKernel() {
  std::vector<std::pair<std::uint64_t, std::string>> names;
  std::vector<std::uint64_t> directories{FUSE_ROOT_ID};
  {
    const std::shared_lock shared(files_.tree.lock);
    const std::lock_guard guard(files_.tree.table);
    const NodeTable& nodes = files_.tree.nodes;
    const auto addAbsent = [&](const Node* directory) {
      std::string_view absent = directory->directory->absent;
      while (!absent.empty()) {
        const std::size_t end = absent.find('\0');
        names.emplace_back(nodes.idOf(directory), std::string(absent.substr(0, end)));
        absent.remove_prefix(end + 1);
      }
      directory->directory->absent = {};
    };
    addAbsent(files_.tree.nodes.root());
    nodes.forEach([&](const Name& name) {
      names.emplace_back(nodes.idOf(name.parent), std::string(name.view()));
      if (!name.node->isDirectory()) return;
      directories.push_back(nodes.idOf(name.node));
      addAbsent(name.node);
    });
    files_.forgetAllAbsent();
  }
  for (const auto& [parent, name] : names) files_.notifier.expire(parent, name);
  for (const std::uint64_t directory : directories) files_.notifier.forgetContent(directory);
}

Status BranchChanges::flush() {
  if (Status real = makePseudoLinksReal(files_); !real) return real;
  BranchList branches;
  {
    const std::shared_lock shared(files_.tree.lock);
    branches = files_.tree.branches();
  }
  for (const BranchPointer& branch : branches) {
    if (!branch->writable()) continue;
    if (syncfs(branch->root.get()) < 0) return lastFailure("syncfs", "flush");
  }
  return {};
}

}  // namespace teu::unionfs
