// From names to nodes.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "union/filesystem.h"
#include "union/names.h"

namespace teu::unionfs {
namespace {

/// Of names and attributes: all changes are made here, or told.
constexpr double kLongSeconds = 3600;
/// Of attributes of a file that was opened for reading and writing, and may still be mapped.
constexpr double kMappedSeconds = 1;
/// Bytes of absent names that are remembered for a directory, and for all.
constexpr std::size_t kMaxAbsent = 64U << 10;
constexpr std::size_t kMaxAbsentOfAll = 1U << 20;

/// The place of a name in a list of names each ended by NUL, or npos.
std::size_t positionIn(const std::string& list, std::string_view name) {
  std::string text(name);
  text += '\0';
  for (std::size_t at = 0; (at = list.find(text, at)) != std::string::npos; ++at) {
    if (at == 0 || list[at - 1] == '\0') return at;
  }
  return std::string::npos;
}

/// A file as it is behind its name, or behind the pseudo link that the name has become.
struct Backing {
  BranchPointer branch{};
  struct stat info {};
  bool pseudo = false;
};

Backing backingOf(Tree& tree, const View& view, const Found& found) {
  Backing backing{.branch = view.parts[found.part].branch, .info = found.info};
  if (S_ISDIR(found.info.st_mode)) return backing;
  const PseudoLink* link = tree.pseudoLinkOf(found.info);
  const bool isCopy = link == nullptr && tree.pseudoLinkWithCopy(found.info) != nullptr;
  if (link != nullptr) {
    struct stat info;
    if (fstatat(link->branch->links.get(), link->name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
      backing = {.branch = link->branch, .info = info, .pseudo = true};
    }
  }
  backing.pseudo = backing.pseudo || isCopy;
  return backing;
}

bool standsFor(const Node* node, const Backing& backing) {
  if ((backing.info.st_mode & S_IFMT) != node->type) return false;
  if (node->isDirectory()) return true;
  return node->device == backing.info.st_dev && node->inode == backing.info.st_ino;
}

}  // namespace

double FileSystem::timeout() const noexcept {
  return revalidates || !canExpire ? 0 : kLongSeconds;
}

double FileSystem::attributeTimeout(const Node* node) const noexcept {
  if (node->superseded || (node->isOpen() && node->mapped)) return 0;
  return node->mapped ? std::min(timeout(), kMappedSeconds) : timeout();
}

fuse_entry_param FileSystem::entryOf(Node* node, const struct stat& backing) {
  fuse_entry_param entry{};
  entry.ino = tree.nodes.idOf(node);
  entry.attr = backing;
  tree.present(node, entry.attr);
  entry.entry_timeout = timeout();
  entry.attr_timeout = attributeTimeout(node);
  return entry;
}

Node* FileSystem::bind(Node* parent, const char* name, const View& view, const Found& found,
                       bool exclusive) {
  const Backing backing = backingOf(tree, view, found);
  const std::uint64_t number = tree.numberOf(backing.info.st_dev, backing.info.st_ino);
  const bool isDirectory = S_ISDIR(backing.info.st_mode);
  std::unique_lock guard(tree.table);
  NodeTable& nodes = tree.nodes;
  Name* known = nodes.find(parent, name);
  if (known != nullptr && standsFor(known->node, backing)) {
    Node* node = known->node;
    if (isDirectory && revalidates) node->directory->view.reset();
    ++node->lookups;
    return node;
  }
  if (known != nullptr && !exclusive) return nullptr;
  const bool linked = !isDirectory && (backing.info.st_nlink > 1 || backing.pseudo);
  Node* node = linked ? nodes.linked(backing.info.st_dev, backing.info.st_ino) : nullptr;
  const bool takesOver = node == nullptr && known != nullptr && !isDirectory &&
                         known->node->type == (backing.info.st_mode & S_IFMT) &&
                         !S_ISLNK(known->node->type) && !known->node->isOpen() &&
                         known->node->names == known && known->nodeNext == nullptr;
  if (takesOver) {
    node = known->node;
    ++node->lookups;
    node->generation = tree.generation();
    guard.unlock();
    tree.setBacking(node, backing.branch, backing.info);
    node->pseudo = backing.pseudo;
    return node;
  }
  const bool isNew = node == nullptr;
  if (isNew) {
    node = nodes.make(backing.info.st_mode);
    node->number = number;
    node->generation = tree.generation();
    node->branch = backing.branch;
    node->device = backing.info.st_dev;
    node->inode = backing.info.st_ino;
    node->pseudo = backing.pseudo;
  }
  ++node->lookups;
  if (known == nullptr) {
    nodes.add(parent, name, node);
  } else {
    Node* before = known->node;
    ++before->pins;
    nodes.repoint(known, node);
    before->superseded = before->names == nullptr;
    --before->pins;
    nodes.release(before);
  }
  if (isNew && linked) nodes.setLinked(node, true);
  return node;
}

Result<fuse_entry_param> FileSystem::lookUp(Node* parent, const char* name) {
  if (std::string_view(name).size() > NAME_MAX) return refusal(ENAMETOOLONG, "name");
  for (const bool exclusive : {false, true}) {
    std::shared_lock shared(tree.lock, std::defer_lock);
    std::unique_lock unique(tree.lock, std::defer_lock);
    if (exclusive) {
      unique.lock();
    } else {
      shared.lock();
    }
    Result<ViewPointer> view = tree.viewOf(parent);
    if (!view) return view.status();
    Result<Found> found = tree.find(*view.value(), name);
    if (!found) return found.status();
    Node* node = bind(parent, name, *view.value(), found.value(), exclusive);
    if (node == nullptr) continue;
    struct stat info = found.value().info;
    if (node->pseudo) {
      Result<struct stat> copy = tree.statOf(node);
      if (copy) info = copy.value();
    }
    return entryOf(node, info);
  }
  return refusal(ESTALE, "changes too fast");
}

bool FileSystem::rememberAbsent(Node* parent, std::string_view name) {
  const std::lock_guard guard(tree.table);
  std::string& absent = parent->directory->absent;
  if (positionIn(absent, name) != std::string::npos) return true;
  const std::size_t size = name.size() + 1;
  if (absent.size() + size > kMaxAbsent || totalAbsent_ + size > kMaxAbsentOfAll) return false;
  absent.append(name).push_back('\0');
  totalAbsent_ += size;
  return true;
}

void FileSystem::forgetAbsent(Node* parent, std::string_view name) {
  const std::lock_guard guard(tree.table);
  std::string& absent = parent->directory->absent;
  const std::size_t at = positionIn(absent, name);
  if (at == std::string::npos) return;
  absent.erase(at, name.size() + 1);
  totalAbsent_ -= name.size() + 1;
}

void FileSystem::forget(Node* node, std::uint64_t count) {
  const std::shared_lock shared(tree.lock);
  const std::lock_guard guard(tree.table);
  node->lookups -= std::min(node->lookups, count);
  if (node->lookups == 0 && node->isDirectory()) {
    totalAbsent_ -= node->directory->absent.size();
    node->directory->absent = {};
  }
  if (node != tree.nodes.root()) tree.nodes.release(node);
}

}  // namespace teu::unionfs
