// Making entries: files, directories, links and the rest.
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "union/filesystem.h"
#include "union/metadata.h"
#include "union/names.h"

namespace teu::unionfs {
namespace {

constexpr mode_t kModeBits = 07777;
constexpr mode_t kSpecialBits = S_ISUID | S_ISGID;

Status makeAt(int directory, const char* name, mode_t mode, const Making& making) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return checked(mkdirat(directory, name, mode & kModeBits), "mkdirat");
    case S_IFLNK:
      return checked(symlinkat(making.target, directory, name), "symlinkat");
    case S_IFREG:
      if (making.file != nullptr) {
        Result<UniqueFd> made =
            opened(openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                          mode & kModeBits),
                   "openat");
        if (!made) return made.status();
        *making.file = std::move(made.value());
        return {};
      }
      [[fallthrough]];
    default:
      return checked(mknodat(directory, name, mode, making.device), "mknodat");
  }
}

/// Whether what is made in a directory gets its ACL, and not what the umask leaves.
bool hasDefaultAcl(int directory) {
  return getxattr(pathOf(directory).c_str(), "system.posix_acl_default", nullptr, 0) > 0;
}

}  // namespace

Status FileSystem::place(const fuse_ctx& caller, const Part& part, const char* name,
                         const Making& making) {
  const int directory = part.fd.get();
  struct stat info;
  if (fstat(directory, &info) < 0) return lastFailure("fstat");
  mode_t mode = making.mode;
  if (!S_ISLNK(mode) && !hasDefaultAcl(directory)) mode &= ~(caller.umask & 0777);
  gid_t group = caller.gid;
  if ((info.st_mode & S_ISGID) != 0) {
    group = info.st_gid;
    if (S_ISDIR(mode)) mode |= S_ISGID;
  }
  const bool opaque = S_ISDIR(mode) && tree.hasWhiteout(part, name);
  if (Status made = makeAt(directory, name, mode, making); !made) return made;
  if (opaque) {
    if (Status marked = Writer::makeOpaque(part, name); !marked) return marked;
  }
  struct stat made;
  if (fstatat(directory, name, &made, AT_SYMLINK_NOFOLLOW) < 0) return lastFailure("fstatat");
  const bool owned = made.st_uid == caller.uid && made.st_gid == group;
  if (!owned && fchownat(directory, name, caller.uid, group, AT_SYMLINK_NOFOLLOW) < 0) {
    return lastFailure("fchownat");
  }
  // A change of owner takes them away.
  const mode_t left = (made.st_mode & kModeBits & ~kSpecialBits) | (mode & kSpecialBits);
  if (!S_ISLNK(mode) && (mode & kSpecialBits) != 0 && fchmodat(directory, name, left, 0) < 0) {
    return lastFailure("fchmodat");
  }
  return Writer::removeWhiteout(part, name);
}

Result<ViewPointer> FileSystem::viewForNew(Node* parent, const char* name, const Part** target) {
  if (isReserved(name)) return refusal(EPERM, "a name of the union's own");
  if (std::string_view(name).size() > kMaxName) return refusal(ENAMETOOLONG, "name");
  Result<std::size_t> index = tree.writableFor(tree.branches().size());
  if (!index) return index.status();
  Result<ViewPointer> view = tree.viewOf(parent);
  if (!view) return view;
  Result<Found> found = tree.find(*view.value(), name);
  if (found) return refusal(EEXIST, "the name is taken");
  if (found.error().number != ENOENT) return found.status();
  for (const Part& part : view.value()->parts) {
    if (part.index >= index.value()) break;
    if (tree.hasWhiteout(part, name)) return refusal(EROFS, "hidden by a branch above");
  }
  if (Status raised = writer.raiseDirectory(parent, index.value()); !raised) return raised;
  view = tree.viewOf(parent);
  if (!view) return view;
  *target = view.value()->at(tree.branches()[index.value()].get());
  if (*target == nullptr) return refusal(EROFS, "no writable branch");
  return view;
}

Result<fuse_entry_param> FileSystem::bindMade(Node* parent, const char* name) {
  Result<ViewPointer> view = tree.viewOf(parent);
  if (!view) return view.status();
  Result<Found> found = tree.find(*view.value(), name);
  if (!found) return found.status();
  forgetAbsent(parent, name);
  Node* node = bind(parent, name, *view.value(), found.value(), true);
  struct stat info = found.value().info;
  if (node->pseudo) {
    Result<struct stat> copy = tree.statOf(node);
    if (copy) info = copy.value();
  }
  return entryOf(node, info);
}

Result<fuse_entry_param> FileSystem::make(const fuse_ctx& caller, Node* parent, const char* name,
                                          const Making& making) {
  const std::unique_lock lock(tree.lock);
  const Part* target = nullptr;
  Result<ViewPointer> view = viewForNew(parent, name, &target);
  if (!view) return view.status();
  if (Status made = place(caller, *target, name, making); !made) return made;
  return bindMade(parent, name);
}

Result<fuse_entry_param> FileSystem::link(Node* node, Node* parent, const char* name) {
  Result<Node*> raised = writer.raise(node);
  if (!raised) return raised.status();
  Node* source = raised.value();
  const std::unique_lock lock = tree.change(source);
  const Part* target = nullptr;
  Result<ViewPointer> view = viewForNew(parent, name, &target);
  if (!view) return view.status();
  Result<UniqueFd> file = tree.openPath(source);
  if (!file) return file.status();
  if (linkat(file.value().get(), "", target->fd.get(), name, AT_EMPTY_PATH) < 0) {
    return lastFailure("linkat");
  }
  if (PseudoLink* link = tree.pseudoCopy(*source)) ++link->names;
  if (Status shown = Writer::removeWhiteout(*target, name); !shown) return shown;
  {
    const std::lock_guard guard(tree.table);
    tree.nodes.setLinked(source, true);
  }
  return bindMade(parent, name);
}

}  // namespace teu::unionfs
