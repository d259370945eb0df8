#include "union/pseudo_links.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>

#include "union/directory_reader.h"
#include "union/names.h"

namespace teu::unionfs {
namespace {

/// What the name of a pseudo link says: INODE.ROOT.NAMES, of the file that was copied up, of the
/// root of the branch it is in, and how many names it has.
struct LinkName {
  std::uint64_t inode = 0;
  std::uint64_t root = 0;
  std::uint64_t names = 0;
};

bool parseLinkName(std::string_view text, LinkName& parsed) {
  const char* at = text.data();
  const char* end = at + text.size();
  for (std::uint64_t* number : {&parsed.inode, &parsed.root, &parsed.names}) {
    const auto [next, error] = std::from_chars(at, end, *number);
    if (error != std::errc{}) return false;
    at = next;
    if (number != &parsed.names && (at == end || *at++ != '.')) return false;
  }
  return at == end;
}

Status loadOf(Tree& tree, const BranchPointer& branch) {
  return forEachName(branch->links.get(), [&](const DirectoryEntry& entry) -> Status {
    LinkName parsed;
    struct stat info;
    if (!parseLinkName(entry.name, parsed)) return {};
    if (fstatat(branch->links.get(), entry.name, &info, AT_SYMLINK_NOFOLLOW) < 0) return {};
    for (const BranchPointer& lower : tree.branches()) {
      if (lower->rootInode != parsed.root || lower->writable()) continue;
      tree.addPseudoLink({lower->device, parsed.inode}, {.branch = branch,
                                                         .name = entry.name,
                                                         .device = info.st_dev,
                                                         .inode = info.st_ino,
                                                         .names = parsed.names});
      return {};
    }
    // Of a branch that is not there any more.
    (void)unlinkat(branch->links.get(), entry.name, 0);
    return {};
  });
}

/// Walks the union, and gives pseudo links the names that it meets.
class LinkMaker {
 public:
  explicit LinkMaker(FileSystem& files) : files_(files) {}

  Status walk(Node* directory) {
    std::vector<std::string> directories;
    {
      const std::unique_lock lock(files_.tree.lock);
      if (Status done = makeIn(directory, directories); !done) return done;
    }
    for (const std::string& name : directories) {
      Result<fuse_entry_param> entry = files_.lookUp(directory, name.c_str());
      if (!entry) continue;
      Node* below = files_.tree.nodes.nodeOf(entry.value().ino);
      const Status done = below->isDirectory() ? walk(below) : Status();
      files_.forget(below, 1);
      if (!done) return done;
    }
    return {};
  }

 private:
  Status makeIn(Node* directory, std::vector<std::string>& directories) {
    Result<ViewPointer> view = files_.tree.viewOf(directory);
    if (!view) return view.error().number == ENOENT ? Status() : view.status();
    std::vector<std::string> names;
    for (const Part& part : view.value()->parts) {
      Status read = forEachName(part.fd.get(), [&](const DirectoryEntry& entry) -> Status {
        if (!isReserved(entry.name)) names.emplace_back(entry.name);
        return {};
      });
      if (!read) return read;
    }
    for (const std::string& name : names) {
      Result<Found> found = files_.tree.find(*view.value(), name.c_str());
      if (!found) continue;
      if (S_ISDIR(found.value().info.st_mode)) directories.push_back(name);
      if (files_.tree.pseudoLinkOf(found.value().info) == nullptr) continue;
      Status raised =
          files_.writer.raiseName(directory, name.c_str(), *view.value(), found.value());
      if (!raised && raised.error().number != ESTALE) return raised;
    }
    return {};
  }

  FileSystem& files_;
};

}  // namespace

Status loadPseudoLinks(Tree& tree) {
  for (const BranchPointer& branch : tree.branches()) {
    if (!branch->writable()) continue;
    if (Status loaded = loadOf(tree, branch); !loaded) return loaded.during("read pseudo links");
  }
  return {};
}

Status makePseudoLinksReal(FileSystem& files) {
  {
    const std::shared_lock shared(files.tree.lock);
    if (files.tree.pseudoLinks.empty()) return {};
  }
  LinkMaker maker(files);
  if (Status made = maker.walk(files.tree.nodes.root()); !made) return made.during("flush");
  const std::unique_lock lock(files.tree.lock);
  while (!files.tree.pseudoLinks.empty()) {
    const PseudoLink link = files.tree.pseudoLinks.begin()->second;
    if (unlinkat(link.branch->links.get(), link.name.c_str(), 0) < 0 && errno != ENOENT) {
      return lastFailure("unlinkat", "flush");
    }
    files.tree.dropPseudoLink(link);
  }
  return {};
}

}  // namespace teu::unionfs
