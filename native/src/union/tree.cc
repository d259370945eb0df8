#include "union/tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "union/names.h"

namespace teu::unionfs {
namespace {

/// Directories that are held open, in all branches each; others are opened again when needed.
constexpr std::size_t kMaxRecent = 64;
/// Numbers of files of other devices than the first differ in these bits.
constexpr unsigned kDeviceShift = 48;

/// A descriptor that the node has already, or -1. Holding `table`.
int knownFd(const Node* node) {
  if (node->held) return node->held.get();
  return node->isOpen() ? node->file->fd.get() : -1;
}

bool exists(int directory, const char* name) {
  return faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace

Tree::Tree(BranchList list) : branches_(std::move(list)) {
  nodes.root()->generation = generation_;
  nodes.root()->number = 1;
  nodes.onFree = [this](Node* node) { forgetView(node); };
  for (const BranchPointer& branch : branches_)
    devices_.try_emplace(branch->device, devices_.size());
}

void Tree::setBranches(BranchList list) {
  branches_ = std::move(list);
  for (const BranchPointer& branch : branches_)
    devices_.try_emplace(branch->device, devices_.size());
  forgetViews();
}

void Tree::forgetViews() {
  const std::lock_guard guard(table);
  ++generation_;
  for (Node* node : recent_) {
    node->directory->view.reset();
    node->directory->recent = false;
  }
  recent_.clear();
}

Result<ViewPointer> Tree::makeRootView() const {
  auto view = std::make_shared<View>();
  view->generation = generation_;
  for (std::size_t index = 0; index < branches_.size(); ++index) {
    const BranchPointer& branch = branches_[index];
    Result<UniqueFd> root =
        opened(openat(branch->root.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC), "openat");
    if (!root) return root.status();
    view->parts.push_back({.branch = branch, .index = index, .fd = std::move(root.value())});
    if (branch->honoursWhiteouts() && exists(branch->root.get(), kOpaqueMark)) break;
  }
  return ViewPointer(std::move(view));
}

ViewPointer Tree::cachedView(Node* directory) {
  const std::lock_guard guard(table);
  const ViewPointer& view = directory->directory->view;
  return view != nullptr && view->generation == generation_ ? view : nullptr;
}

void Tree::setView(Node* directory, ViewPointer view) {
  const std::lock_guard guard(table);
  DirectoryState& state = *directory->directory;
  state.view = std::move(view);
  if (state.recent || directory == nodes.root()) return;
  state.recent = true;
  recent_.push_back(directory);
  if (recent_.size() <= kMaxRecent) return;
  DirectoryState& oldest = *recent_.front()->directory;
  oldest.view.reset();
  oldest.recent = false;
  recent_.pop_front();
}

void Tree::forgetView(Node* directory) {
  if (directory->directory == nullptr || !directory->directory->recent) return;
  recent_.remove(directory);
  directory->directory->recent = false;
  directory->directory->view.reset();
}

std::vector<Tree::Entry> Tree::entriesOf(const Node* node) {
  const std::lock_guard guard(table);
  std::vector<Entry> entries;
  for (const Name* name = node->names; name != nullptr; name = name->nodeNext) {
    entries.push_back({.parent = name->parent, .name = std::string(name->view())});
  }
  return entries;
}

Result<ViewPointer> Tree::viewOf(Node* directory) {
  std::vector<std::pair<Node*, std::string>> missing;
  ViewPointer view = cachedView(directory);
  for (Node* node = directory; view == nullptr;) {
    if (node == nodes.root()) {
      Result<ViewPointer> made = makeRootView();
      if (!made) return made;
      view = made.value();
      setView(node, view);
      break;
    }
    std::vector<Entry> entries = entriesOf(node);
    if (entries.empty()) return refusal(ENOENT, "a removed directory");
    missing.emplace_back(node, std::move(entries.front().name));
    node = entries.front().parent;
    view = cachedView(node);
  }
  for (auto entry = missing.rbegin(); entry != missing.rend(); ++entry) {
    Result<ViewPointer> below = viewBelow(*view, entry->second.c_str());
    if (!below) return below;
    view = below.value();
    setView(entry->first, view);
  }
  return view;
}

bool Tree::hasWhiteout(const Part& part, const char* name) const {
  if (!part.branch->honoursWhiteouts()) return false;
  const std::string_view text = name;
  return text.size() <= kMaxName && exists(part.fd.get(), whiteoutOf(text).c_str());
}

Result<ViewPointer> Tree::viewBelow(const View& parent, const char* name) const {
  auto view = std::make_shared<View>();
  view->generation = generation_;
  for (const Part& part : parent.parts) {
    const bool last = &part == &parent.parts.back();
    Result<UniqueFd> fd = opened(
        openat(part.fd.get(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "openat");
    if (fd) {
      const int made = fd.value().get();
      view->parts.push_back(
          {.branch = part.branch, .index = part.index, .fd = std::move(fd.value())});
      if (last || (part.branch->honoursWhiteouts() && exists(made, kOpaqueMark))) break;
    } else if (fd.error().number != ENOENT) {
      // Something else hides what is below.
      if (fd.error().number != ENOTDIR && fd.error().number != ELOOP) return fd.status();
      break;
    }
    if (!last && hasWhiteout(part, name)) break;
  }
  if (view->parts.empty()) return refusal(ENOENT, "no such directory");
  return ViewPointer(std::move(view));
}

Result<Found> Tree::find(const View& directory, const char* name, std::size_t first) const {
  if (isReserved(name)) return refusal(ENOENT, "a name of the union's own");
  Found found;
  for (std::size_t index = first; index < directory.parts.size(); ++index) {
    const Part& part = directory.parts[index];
    found.part = index;
    if (fstatat(part.fd.get(), name, &found.info, AT_SYMLINK_NOFOLLOW) == 0) return found;
    if (errno != ENOENT) return lastFailure("fstatat");
    if (hasWhiteout(part, name)) break;
  }
  return refusal(ENOENT, "no such entry");
}

bool Tree::isCurrent(const Node* node) const noexcept {
  return node->generation == generation_ || node->isDirectory() || node->removed;
}

std::shared_lock<std::shared_mutex> Tree::look(Node* node) {
  for (;;) {
    std::shared_lock shared(lock);
    if (isCurrent(node)) return shared;
    shared.unlock();
    const std::unique_lock exclusive(lock);
    refresh(node);
  }
}

std::unique_lock<std::shared_mutex> Tree::change(Node* node) {
  std::unique_lock exclusive(lock);
  refresh(node);
  return exclusive;
}

void Tree::refresh(Node* node) {
  if (isCurrent(node)) return;
  node->generation = generation_;
  for (const Entry& entry : entriesOf(node)) {
    Result<ViewPointer> view = viewOf(entry.parent);
    if (!view) continue;
    Result<Found> found = find(*view.value(), entry.name.c_str());
    if (!found) continue;
    const struct stat& info = found.value().info;
    const BranchPointer& branch = view.value()->parts[found.value().part].branch;
    const bool same = info.st_dev == node->device && info.st_ino == node->inode;
    if (same) {
      node->branch = branch;
      return;
    }
    if (node->pseudo && pseudoLinkOf(info) == pseudoCopy(*node)) return;
    if (node->isOpen() || (info.st_mode & S_IFMT) != node->type || S_ISLNK(node->type)) continue;
    setBacking(node, branch, info);
    return;
  }
  // Its names stand for other files, or for none.
  const std::lock_guard guard(table);
  node->superseded = true;
  ++node->pins;
  while (node->names != nullptr) nodes.drop(node->names);
  --node->pins;
}

void Tree::setBacking(Node* node, const BranchPointer& branch, const struct stat& info) {
  const std::lock_guard guard(table);
  nodes.setLinked(node, false);
  node->branch = branch;
  node->device = info.st_dev;
  node->inode = info.st_ino;
  node->changedBelow = true;
  node->pseudo = false;
  nodes.setLinked(node, info.st_nlink > 1 && !node->isDirectory());
}

Result<Place> Tree::placeOf(Node* node) {
  if (node->pseudo) {
    const PseudoLink* link = pseudoCopy(*node);
    if (link == nullptr) return refusal(ESTALE, "a pseudo link is gone");
    return Place{
        .branch = link->branch, .directory = link->branch->links.get(), .name = link->name};
  }
  const std::vector<Entry> entries = entriesOf(node);
  for (const Entry& entry : entries) {
    Result<ViewPointer> view = viewOf(entry.parent);
    if (!view) continue;
    const Part* part =
        node->isDirectory() ? &view.value()->parts.front() : view.value()->at(node->branch.get());
    if (part == nullptr) continue;
    Place place{.view = view.value(),
                .branch = part->branch,
                .directory = part->fd.get(),
                .name = entry.name};
    if (entries.size() == 1) return place;
    struct stat info;
    const bool there = fstatat(place.directory, place.text(), &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && info.st_ino == node->inode && info.st_dev == node->device) return place;
  }
  return refusal(ESTALE, "the file is not where it was");
}

Result<UniqueFd> Tree::openPath(Node* node) {
  {
    const std::lock_guard guard(table);
    const int known = knownFd(node);
    if (known >= 0) return opened(fcntl(known, F_DUPFD_CLOEXEC, 0), "fcntl");
  }
  if (node->isDirectory()) {
    Result<ViewPointer> view = viewOf(node);
    if (!view) return view.status();
    return opened(fcntl(view.value()->parts.front().fd.get(), F_DUPFD_CLOEXEC, 0), "fcntl");
  }
  Result<Place> place = placeOf(node);
  if (!place) return place.status();
  return opened(
      openat(place.value().directory, place.value().text(), O_PATH | O_NOFOLLOW | O_CLOEXEC),
      "openat");
}

Result<struct stat> Tree::statOf(Node* node) {
  struct stat info;
  if (node->successor != nullptr) return statOf(node->successor);
  std::unique_lock guard(table);
  const int known = knownFd(node);
  if (known >= 0) {
    if (fstat(known, &info) < 0) return lastFailure("fstat");
    guard.unlock();
  } else if (node->isDirectory()) {
    guard.unlock();
    Result<ViewPointer> view = viewOf(node);
    if (!view) return view.status();
    if (fstat(view.value()->parts.front().fd.get(), &info) < 0) return lastFailure("fstat");
  } else {
    guard.unlock();
    Result<Place> place = placeOf(node);
    if (!place) return place.status();
    const Place& at = place.value();
    if (fstatat(at.directory, at.text(), &info, AT_SYMLINK_NOFOLLOW) < 0) {
      if (errno == ENOENT) return refusal(ESTALE, "the file is not where it was");
      return lastFailure("fstatat");
    }
    if (info.st_ino != node->inode || info.st_dev != node->device) {
      return refusal(ESTALE, "another file has the name");
    }
  }
  present(node, info);
  return info;
}

void Tree::present(const Node* node, struct stat& info) {
  if (node->pseudo) {
    if (const PseudoLink* link = pseudoCopy(*node)) info.st_nlink = link->names;
  }
  info.st_ino = node->number;
  // A merged directory has no count that would say how many directories are in it.
  if (node->isDirectory() && branches_.size() > 1) info.st_nlink = 1;
}

Result<std::size_t> Tree::writableFor(std::size_t index) const {
  index = std::min(index, branches_.size() - 1);
  if (branches_[index]->writable()) return index;
  for (std::size_t above = 0; above < index; ++above) {
    if (branches_[above]->writable()) return above;
  }
  return refusal(EROFS, "no writable branch");
}

std::uint64_t Tree::numberOf(dev_t device, ino_t inode) {
  const std::lock_guard guard(table);
  const auto kept = kept_.find({device, inode});
  if (kept != kept_.end()) return kept->second;
  const auto [known, added] = devices_.try_emplace(device, devices_.size());
  return inode ^ (known->second << kDeviceShift);
}

void Tree::keepNumber(dev_t device, ino_t inode, std::uint64_t number) {
  const std::lock_guard guard(table);
  kept_[{device, inode}] = number;
}

void Tree::dropNumber(dev_t device, ino_t inode) {
  const std::lock_guard guard(table);
  kept_.erase({device, inode});
}

PseudoLink* Tree::pseudoLinkOf(const struct stat& info) {
  if (pseudoLinks.empty() || S_ISDIR(info.st_mode) || info.st_nlink < 2) return nullptr;
  const auto found = pseudoLinks.find({info.st_dev, info.st_ino});
  return found == pseudoLinks.end() ? nullptr : &found->second;
}

PseudoLink* Tree::pseudoLinkWithCopy(const struct stat& info) {
  const auto copy = pseudoCopies_.find({info.st_dev, info.st_ino});
  return copy == pseudoCopies_.end() ? nullptr : &pseudoLinks.at(copy->second);
}

PseudoLink* Tree::pseudoCopy(const Node& node) {
  const auto copy = pseudoCopies_.find({node.device, node.inode});
  return copy == pseudoCopies_.end() ? nullptr : &pseudoLinks.at(copy->second);
}

void Tree::addPseudoLink(const BackingKey& original, PseudoLink link) {
  pseudoCopies_[{link.device, link.inode}] = original;
  pseudoLinks[original] = std::move(link);
}

void Tree::dropPseudoLink(const PseudoLink& link) {
  const auto copy = pseudoCopies_.find({link.device, link.inode});
  if (copy == pseudoCopies_.end()) return;
  const BackingKey original = copy->second;
  if (Node* node = nodes.linked(link.device, link.inode)) node->pseudo = false;
  pseudoCopies_.erase(copy);
  pseudoLinks.erase(original);
}

}  // namespace teu::unionfs
