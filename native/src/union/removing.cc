// Removing entries, which leaves a whiteout where something would show through.
#include <fcntl.h>
#include <unistd.h>

#include "union/directory_reader.h"
#include "union/filesystem.h"
#include "union/names.h"
#include "union/removal.h"

namespace teu::unionfs {

bool FileSystem::showsBelow(const View& view, const char* name, std::size_t part) const {
  if (tree.hasWhiteout(view.parts[part], name)) return false;
  return static_cast<bool>(tree.find(view, name, part + 1));
}

Result<ViewPointer> FileSystem::hide(Node* parent, const char* name, const View& view,
                                     std::size_t part) {
  const Part& top = view.parts[part];
  Result<std::size_t> index = tree.writableFor(top.index);
  if (!index) return index.status();
  Result<ViewPointer> same = tree.viewOf(parent);
  if (top.branch->writable() && !showsBelow(view, name, part)) return same;
  if (std::string_view(name).size() > kMaxName) return refusal(ENAMETOOLONG, "whiteout");
  if (Status raised = writer.raiseDirectory(parent, index.value()); !raised) return raised;
  Result<ViewPointer> now = tree.viewOf(parent);
  if (!now) return now;
  const Part* target = now.value()->at(tree.branches()[index.value()].get());
  if (target == nullptr) return refusal(EROFS, "no writable branch");
  if (Status hidden = Writer::makeWhiteout(*target, name); !hidden) return hidden;
  return now;
}

void FileSystem::dropName(Node* parent, const char* name, UniqueFd held) {
  const std::lock_guard guard(tree.table);
  Name* known = tree.nodes.find(parent, name);
  if (known == nullptr) return;
  Node* node = known->node;
  if (node->names == known && known->nodeNext == nullptr && node->lookups > 0) {
    node->held = std::move(held);
  }
  tree.nodes.drop(known);
}

void FileSystem::countPseudoNameAway(const struct stat& info) {
  PseudoLink* link = tree.pseudoLinkOf(info);
  if (link == nullptr) link = tree.pseudoLinkWithCopy(info);
  if (link == nullptr || --link->names > 0) return;
  (void)unlinkat(link->branch->links.get(), link->name.c_str(), 0);
  tree.dropPseudoLink(*link);
}

Status FileSystem::unlink(Node* parent, const char* name) {
  const std::unique_lock lock(tree.lock);
  Result<ViewPointer> view = tree.viewOf(parent);
  if (!view) return view.status();
  Result<Found> found = tree.find(*view.value(), name);
  if (!found) return found.status();
  const Part& part = view.value()->parts[found.value().part];
  const struct stat& info = found.value().info;
  if (S_ISDIR(info.st_mode)) return refusal(EISDIR, "unlink of a directory");
  UniqueFd held(openat(part.fd.get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  Result<ViewPointer> hidden = hide(parent, name, *view.value(), found.value().part);
  if (!hidden) return hidden.status();
  if (part.branch->writable()) {
    if (unlinkat(part.fd.get(), name, 0) < 0) return lastFailure("unlinkat");
    if (info.st_nlink == 1) tree.dropNumber(info.st_dev, info.st_ino);
  }
  dropName(parent, name, std::move(held));
  countPseudoNameAway(info);
  return {};
}

Status FileSystem::checkEmpty(const View& directory) const {
  for (const Part& part : directory.parts) {
    Status empty = forEachName(part.fd.get(), [&](const DirectoryEntry& entry) -> Status {
      if (isReserved(entry.name) || !tree.find(directory, entry.name)) return {};
      return refusal(ENOTEMPTY, "not empty");
    });
    if (!empty) return empty;
  }
  return {};
}

Status FileSystem::discardDirectory(const Part& parent, const char* name) {
  const std::string temporary = writer.temporaryName();
  const int work = parent.branch->work.get();
  if (renameat(parent.fd.get(), name, work, temporary.c_str()) < 0) return lastFailure("renameat");
  return removeTree(work, temporary.c_str());
}

Status FileSystem::removeDirectory(Node* parent, const char* name) {
  const std::unique_lock lock(tree.lock);
  Result<ViewPointer> view = tree.viewOf(parent);
  if (!view) return view.status();
  Result<Found> found = tree.find(*view.value(), name);
  if (!found) return found.status();
  if (!S_ISDIR(found.value().info.st_mode)) return refusal(ENOTDIR, "rmdir of a file");
  Result<ViewPointer> directory = tree.viewBelow(*view.value(), name);
  if (!directory) return directory.status();
  if (Status empty = checkEmpty(*directory.value()); !empty) return empty;
  const Part& part = view.value()->parts[found.value().part];
  Result<ViewPointer> hidden = hide(parent, name, *view.value(), found.value().part);
  if (!hidden) return hidden.status();
  UniqueFd held(openat(part.fd.get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (part.branch->writable()) {
    if (Status gone = discardDirectory(part, name); !gone) return gone;
    tree.dropNumber(found.value().info.st_dev, found.value().info.st_ino);
  }
  dropName(parent, name, std::move(held));
  return {};
}

}  // namespace teu::unionfs
