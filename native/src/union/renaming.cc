#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "union/filesystem.h"
#include "union/names.h"

namespace teu::unionfs {

/// One side of a rename.
struct FileSystem::Side {
  Node* parent = nullptr;
  const char* name = "";
  ViewPointer view{};
  bool exists = false;
  Found found{};

  const Part& part() const { return view->parts[found.part]; }
  bool isDirectory() const { return exists && S_ISDIR(found.info.st_mode); }
};

Result<FileSystem::Side> FileSystem::sideOf(Node* parent, const char* name) {
  Side side{.parent = parent, .name = name};
  Result<ViewPointer> view = tree.viewOf(parent);
  if (!view) return view.status();
  side.view = view.value();
  Result<Found> found = tree.find(*side.view, name);
  if (!found && found.error().number != ENOENT) return found.status();
  side.exists = static_cast<bool>(found);
  if (found) side.found = found.value();
  return side;
}

/// Has what a side stands for in a writable branch under that name, or refuses. EAGAIN: it has to
/// be copied up first.
Status FileSystem::prepareToMove(Side& side) {
  if (side.isDirectory()) {
    Result<ViewPointer> directory = tree.viewBelow(*side.view, side.name);
    if (!directory) return directory.status();
    // As AUFS: what is merged cannot be moved, because it would have to be copied.
    if (directory.value()->parts.size() > 1 || !side.part().branch->writable()) {
      return refusal(EXDEV, "rename of a directory with lower parts");
    }
    return {};
  }
  if (side.part().branch->writable()) return {};
  if (tree.pseudoLinkOf(side.found.info) == nullptr) return refusal(EAGAIN, "copy up first");
  const Status raised = writer.raiseName(side.parent, side.name, *side.view, side.found);
  if (!raised) return raised;
  Result<Side> again = sideOf(side.parent, side.name);
  if (!again) return again.status();
  side = std::move(again.value());
  return {};
}

/// The directory of a side in the branch that the rename takes place in.
Result<const Part*> FileSystem::targetOf(Side& side, const BranchPointer& branch) {
  const auto& list = tree.branches();
  const auto at = std::find(list.begin(), list.end(), branch);
  if (at == list.end()) return refusal(ESTALE, "the branch is gone");
  const auto index = static_cast<std::size_t>(at - list.begin());
  if (Status raised = writer.raiseDirectory(side.parent, index); !raised) return raised;
  Result<ViewPointer> view = tree.viewOf(side.parent);
  if (!view) return view.status();
  side.view = view.value();
  const Part* part = side.view->at(branch.get());
  if (part == nullptr) return refusal(EROFS, "no writable branch");
  return Result<const Part*>(std::move(part));
}

Status FileSystem::makeRoom(Side& side, const Part& target) {
  if (!side.isDirectory()) return {};
  Result<ViewPointer> directory = tree.viewBelow(*side.view, side.name);
  if (!directory) return directory.status();
  if (Status empty = checkEmpty(*directory.value()); !empty) return empty;
  if (Status hidden = Writer::makeWhiteout(target, side.name); !hidden) return hidden;
  const Part* own = directory.value()->at(target.branch.get());
  return own == nullptr ? Status() : discardDirectory(target, side.name);
}

void FileSystem::moveName(const Side& from, const Side& to, bool exchange) {
  const std::lock_guard guard(tree.table);
  NodeTable& nodes = tree.nodes;
  Name* source = nodes.find(from.parent, from.name);
  Name* target = nodes.find(to.parent, to.name);
  Node* moved = source == nullptr ? nullptr : source->node;
  Node* other = target == nullptr ? nullptr : target->node;
  if (moved != nullptr) ++moved->pins;
  if (other != nullptr) ++other->pins;
  if (source != nullptr) nodes.drop(source);
  if (target != nullptr) nodes.drop(target);
  if (moved != nullptr) nodes.add(to.parent, to.name, moved);
  if (exchange && other != nullptr) nodes.add(from.parent, from.name, other);
  if (moved != nullptr) {
    --moved->pins;
    nodes.release(moved);
  }
  if (other != nullptr) {
    --other->pins;
    nodes.release(other);
  }
}

void FileSystem::holdReplaced(const Side& side) {
  UniqueFd held(openat(side.part().fd.get(), side.name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  const std::lock_guard guard(tree.table);
  Name* known = tree.nodes.find(side.parent, side.name);
  if (known == nullptr || known->nodeNext != nullptr || known->node->names != known) return;
  known->node->held = std::move(held);
}

/// Whether a directory that comes to this place would be merged with what is below, or was.
bool FileSystem::hasSomethingUnder(const Side& side, const Part& target) const {
  if (tree.hasWhiteout(target, side.name)) return true;
  if (!side.exists) return false;
  return side.part().branch != target.branch || showsBelow(*side.view, side.name, side.found.part);
}

Status FileSystem::move(Side& from, Side& to, unsigned flags) {
  const bool exchange = (flags & RENAME_EXCHANGE) != 0;
  const BranchPointer branch = from.part().branch;
  if (exchange && to.part().branch != branch) return refusal(EXDEV, "in different branches");
  Result<const Part*> target = targetOf(to, branch);
  if (!target) return target.status();
  if (to.exists && to.part().index < target.value()->index) {
    return refusal(EROFS, "hidden by a branch above");
  }
  const Part& source = from.part();
  const bool uncovers = !exchange && showsBelow(*from.view, from.name, from.found.part);
  if (from.isDirectory() && hasSomethingUnder(to, *target.value())) {
    if (Status marked = Writer::makeOpaque(source, from.name); !marked) return marked;
  }
  if (exchange && to.isDirectory() && hasSomethingUnder(from, source)) {
    if (Status marked = Writer::makeOpaque(*target.value(), to.name); !marked) return marked;
  }
  if (!exchange && to.exists) {
    holdReplaced(to);
    if (Status room = makeRoom(to, *target.value()); !room) return room;
  }
  if (uncovers) {
    if (Status hidden = Writer::makeWhiteout(source, from.name); !hidden) return hidden;
  }
  if (renameat2(source.fd.get(), from.name, target.value()->fd.get(), to.name,
                exchange ? RENAME_EXCHANGE : 0) < 0) {
    return lastFailure("renameat2");
  }
  moveName(from, to, exchange);
  if (exchange) return {};
  if (to.exists && !to.isDirectory()) countPseudoNameAway(to.found.info);
  return Writer::removeWhiteout(*target.value(), to.name);
}

Status FileSystem::tryRename(Node* parent, const char* name, Node* newParent, const char* newName,
                             unsigned flags) {
  const std::unique_lock lock(tree.lock);
  Result<Side> from = sideOf(parent, name);
  if (!from) return from.status();
  if (!from.value().exists) return refusal(ENOENT, "no such entry");
  Result<Side> to = sideOf(newParent, newName);
  if (!to) return to.status();
  const bool exchange = (flags & RENAME_EXCHANGE) != 0;
  const bool exists = to.value().exists;
  if (exchange && !exists) return refusal(ENOENT, "nothing to exchange with");
  if ((flags & RENAME_NOREPLACE) != 0 && exists) return refusal(EEXIST, "the name is taken");
  if (!exchange && exists && from.value().isDirectory() != to.value().isDirectory()) {
    return refusal(to.value().isDirectory() ? EISDIR : ENOTDIR, "of another kind");
  }
  if (!exchange && to.value().isDirectory()) {
    Result<ViewPointer> directory = tree.viewBelow(*to.value().view, newName);
    if (!directory) return directory.status();
    if (Status empty = checkEmpty(*directory.value()); !empty) return empty;
  }
  if (Status ready = prepareToMove(from.value()); !ready) return ready;
  if (exchange) {
    if (Status ready = prepareToMove(to.value()); !ready) return ready;
  }
  forgetAbsent(newParent, newName);
  return move(from.value(), to.value(), flags);
}

Status FileSystem::raiseEntry(Node* parent, const char* name) {
  Result<fuse_entry_param> entry = lookUp(parent, name);
  if (!entry) return entry.status();
  Node* node = tree.nodes.nodeOf(entry.value().ino);
  Status done;
  if (!node->isDirectory()) {
    const Result<Node*> raised = writer.raise(node);
    done = raised.status();
  }
  forget(node, 1);
  return done;
}

Status FileSystem::rename(Node* parent, const char* name, Node* newParent, const char* newName,
                          unsigned flags) {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0) return refusal(EINVAL, "flags");
  if (isReserved(name) || isReserved(newName)) return refusal(EPERM, "a name of the union's own");
  if (std::string_view(newName).size() > kMaxName) return refusal(ENAMETOOLONG, "name");
  constexpr int kAttempts = 100;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    Status done = tryRename(parent, name, newParent, newName, flags);
    if (done || done.error().number != EAGAIN) return done;
    if (Status raised = raiseEntry(parent, name); !raised) return raised;
    if ((flags & RENAME_EXCHANGE) == 0) continue;
    if (Status raised = raiseEntry(newParent, newName); !raised) return raised;
  }
  return refusal(EBUSY, "changes too fast");
}

}  // namespace teu::unionfs
