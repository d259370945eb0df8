#include "union/writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "union/file_copy.h"
#include "union/metadata.h"
#include "union/names.h"
#include "union/notifier.h"
#include "union/request_loop.h"

namespace teu::unionfs {

/// A copy-up between its beginning and its end.
struct Writer::Copy {
  Node* parent = nullptr;
  std::string name{};
  BranchPointer target{};
  std::size_t targetIndex = 0;
  UniqueFd source{};  ///< O_PATH, or open for reading if it is a file
  struct stat info {};
  std::string temporary{};
  std::uint32_t generation = 0;
  Node* ready = nullptr;  ///< nothing to copy: this is it
};

namespace {

constexpr mode_t kPrivateMode = 0600;
constexpr mode_t kWhiteoutMode = 0444;
/// Copying so much is not worth another thread.
constexpr off_t kQuickBytes = 64 << 10;

/// Puts back the times that a directory had before something was put into it that was visible
/// there before.
class KeptTimes {
 public:
  explicit KeptTimes(int directory) : directory_(directory) {
    known_ = fstat(directory, &info_) == 0;
  }
  ~KeptTimes() {
    if (known_) (void)setTimes(directory_, info_);
  }
  KeptTimes(const KeptTimes&) = delete;
  KeptTimes& operator=(const KeptTimes&) = delete;

 private:
  int directory_;
  bool known_ = false;
  struct stat info_ {};
};

Status makeLike(int directory, const char* name, const struct stat& info, int source) {
  if (S_ISLNK(info.st_mode)) {
    char target[PATH_MAX + 1];
    const ssize_t size = readlinkat(source, "", target, PATH_MAX);
    if (size < 0) return lastFailure("readlinkat", "copy up");
    target[size] = '\0';
    return checked(symlinkat(target, directory, name), "symlinkat");
  }
  const mode_t mode = (info.st_mode & S_IFMT) | kPrivateMode;
  return checked(mknodat(directory, name, mode, info.st_rdev), "mknodat");
}

bool hasName(const Node* node, const Node* parent, const std::string& text) {
  for (const Name* name = node->names; name != nullptr; name = name->nodeNext) {
    if (name->parent == parent && name->view() == text) return true;
  }
  return false;
}

Status linkWhiteout(const Part& part, const std::string& name) {
  const int root = part.branch->root.get();
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (linkat(root, kWhiteoutBase, part.fd.get(), name.c_str(), 0) == 0) return {};
    if (errno == EMLINK) {
      (void)unlinkat(root, kWhiteoutBase, 0);
    } else if (errno != ENOENT) {
      return lastFailure("linkat");
    }
    const Status made =
        checked(mknodat(root, kWhiteoutBase, S_IFREG | kWhiteoutMode, 0), "mknodat");
    if (!made) return made;
  }
  return refusal(EMLINK, "linkat");
}

}  // namespace

Status Writer::makeWhiteout(const Part& part, const char* name) {
  if (std::string_view(name).size() > kMaxName) return refusal(ENAMETOOLONG, "whiteout");
  const std::string whiteout = whiteoutOf(name);
  Status linked = linkWhiteout(part, whiteout);
  if (linked || linked.error().number == EEXIST) return {};
  const int made = openat(part.fd.get(), whiteout.c_str(),
                          O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, kWhiteoutMode);
  if (made < 0 && errno != EEXIST) return lastFailure("openat", "make a whiteout");
  const UniqueFd closed(made);
  return {};
}

Status Writer::makeOpaque(const Part& parent, const char* name) {
  Result<UniqueFd> directory = opened(
      openat(parent.fd.get(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "openat");
  if (!directory) return directory.status();
  const Result<UniqueFd> mark =
      opened(openat(directory.value().get(), kOpaqueMark,
                    O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, kWhiteoutMode),
             "openat");
  return mark.status().during("make a directory opaque");
}

Status Writer::removeWhiteout(const Part& part, const char* name) {
  if (std::string_view(name).size() > kMaxName) return {};
  if (unlinkat(part.fd.get(), whiteoutOf(name).c_str(), 0) < 0 && errno != ENOENT) {
    return lastFailure("unlinkat", "remove a whiteout");
  }
  return {};
}

std::string Writer::temporaryName() {
  return "t" + std::to_string(next_++);
}

Status Writer::copyDirectory(const View& from, const Part& parent, const std::string& name) {
  const int work = parent.branch->work.get();
  const int source = from.parts.front().fd.get();
  struct stat info;
  if (fstat(source, &info) < 0) return lastFailure("fstat", "copy up");
  const std::string temporary = temporaryName();
  if (mkdirat(work, temporary.c_str(), S_IRWXU) < 0) return lastFailure("mkdirat", "copy up");
  Result<UniqueFd> made = opened(
      openat(work, temporary.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "openat");
  if (!made) return made.status();
  if (Status done = copyMetadata(source, made.value().get(), info); !done) return done;
  struct stat now;
  if (fstat(made.value().get(), &now) < 0) return lastFailure("fstat", "copy up");
  const KeptTimes times(parent.fd.get());
  if (renameat2(work, temporary.c_str(), parent.fd.get(), name.c_str(), RENAME_NOREPLACE) < 0) {
    const SysError failure = lastFailure("renameat2", "copy up");
    (void)unlinkat(work, temporary.c_str(), AT_REMOVEDIR);
    return failure;
  }
  return {};
}

Status Writer::raiseDirectory(Node* directory, std::size_t index) {
  std::vector<Node*> missing;
  Node* at = directory;
  for (;; at = at->names->parent) {
    Result<ViewPointer> view = tree_.viewOf(at);
    if (!view) return view.status();
    const auto& parts = view.value()->parts;
    const bool there = std::any_of(parts.begin(), parts.end(),
                                   [&](const Part& part) { return part.index == index; });
    if (there) break;
    if (at->names == nullptr) return refusal(EROFS, "the root is not in the branch");
    missing.push_back(at);
  }
  for (auto next = missing.rbegin(); next != missing.rend(); ++next) {
    Node* node = *next;
    Result<ViewPointer> view = tree_.viewOf(node);
    if (!view) return view.status();
    Result<ViewPointer> above = tree_.viewOf(node->names->parent);
    if (!above) return above.status();
    const Part* parent = above.value()->at(tree_.branches()[index].get());
    if (parent == nullptr) return refusal(EROFS, "the parent is not in the branch");
    const std::string name(node->names->view());
    if (Status done = copyDirectory(*view.value(), *parent, name); !done) return done;
    Result<ViewPointer> made = tree_.viewBelow(*above.value(), name.c_str());
    if (!made) return made.status();
    tree_.setView(node, made.value());
    struct stat info;
    if (fstat(made.value()->parts.front().fd.get(), &info) < 0) return lastFailure("fstat");
    tree_.keepNumber(info.st_dev, info.st_ino, node->number);
    ++copies_;
  }
  return {};
}

Result<Writer::Copy> Writer::beginCopy(Node* node) {
  auto lock = tree_.change(node);
  if (node->copying) RequestLoop::expectDelay();
  copied_.wait(lock, [&] { return !node->copying; });
  Copy copy;
  if (node->successor != nullptr) node = node->successor;
  copy.ready = node;
  if (node->isDirectory()) {
    Result<ViewPointer> view = tree_.viewOf(node);
    if (!view) return view.status();
    Result<std::size_t> target = tree_.writableFor(view.value()->parts.front().index);
    if (!target) return target.status();
    if (Status raised = raiseDirectory(node, target.value()); !raised) return raised;
    return copy;
  }
  if (node->branch->writable()) return copy;
  if (node->removed || node->names == nullptr) return refusal(ESTALE, "a removed file");
  Result<Place> place = tree_.placeOf(node);
  if (!place) return place.status();
  Name* name = node->names;
  const Part* part = place.value().view->at(place.value().branch.get());
  while (name->view() != place.value().name) name = name->nodeNext;
  Result<std::size_t> target = tree_.writableFor(part->index);
  if (!target) return target.status();
  copy.ready = nullptr;
  copy.parent = name->parent;
  copy.name = place.value().name;
  copy.targetIndex = target.value();
  copy.target = tree_.branches()[target.value()];
  copy.generation = tree_.generation();
  copy.temporary = temporaryName();
  const int flags = S_ISREG(node->type) ? O_RDONLY | O_NONBLOCK | O_NOATIME : O_PATH;
  Result<UniqueFd> source = opened(
      openat(place.value().directory, copy.name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC), "openat");
  if (!source) return source.status().during("copy up");
  copy.source = std::move(source.value());
  if (fstat(copy.source.get(), &copy.info) < 0) return lastFailure("fstat", "copy up");
  if (copy.info.st_ino != node->inode || (copy.info.st_mode & S_IFMT) != node->type) {
    return refusal(ESTALE, "another file has the name");
  }
  node->copying = true;
  return copy;
}

Status Writer::makeCopy(const Copy& copy, bool withData) {
  const int work = copy.target->work.get();
  const char* name = copy.temporary.c_str();
  if (Status made = makeLike(work, name, copy.info, copy.source.get()); !made) return made;
  const bool isFile = S_ISREG(copy.info.st_mode);
  const int flags = (isFile ? O_RDWR | O_NONBLOCK : O_PATH) | O_NOFOLLOW | O_CLOEXEC;
  Result<UniqueFd> file = opened(openat(work, name, flags), "openat");
  if (!file) return file.status();
  const bool isLarge = copy.info.st_size > kQuickBytes;
  if (isFile && withData && isLarge) RequestLoop::expectDelay();
  if (isFile && withData) {
    const Status copied = copyData(copy.source.get(), file.value().get(), copy.info.st_size);
    if (!copied) return copied;
  }
  const Status described = copyMetadata(copy.source.get(), file.value().get(), copy.info);
  if (!described) return described;
  // A name must never be there before what it is the name of.
  if (isFile && withData && copy.info.st_size > 0 && fsync(file.value().get()) < 0) {
    return lastFailure("fsync", "copy up");
  }
  return {};
}

Result<Node*> Writer::adopt(Node* node, const BranchPointer& branch, const struct stat& info) {
  tree_.keepNumber(info.st_dev, info.st_ino, node->number);
  if (!node->isOpen()) {
    const bool changedBelow = node->changedBelow;
    tree_.setBacking(node, branch, info);
    node->changedBelow = changedBelow;
    return Result<Node*>(std::move(node));
  }
  // What has it open goes on with the file below; its names get a node of their own.
  Node* successor = nullptr;
  std::vector<std::pair<std::uint64_t, std::string>> names;
  {
    const std::lock_guard guard(tree_.table);
    for (const Name* name = node->names; name != nullptr; name = name->nodeNext) {
      names.emplace_back(tree_.nodes.idOf(name->parent), std::string(name->view()));
    }
    successor = tree_.nodes.make(node->type);
    successor->number = node->number;
    successor->generation = node->generation;
    tree_.nodes.setSuccessor(node, successor);
    node->superseded = true;
  }
  tree_.setBacking(successor, branch, info);
  successor->changedBelow = false;
  for (auto& [parent, name] : names) notifier_.expireLater(parent, std::move(name));
  notifier_.refreshLater(tree_.nodes.idOf(node));
  return Result<Node*>(std::move(successor));
}

Status Writer::addPseudoLink(Node* node, const Copy& copy, const struct stat& info) {
  const std::string name = std::to_string(copy.info.st_ino) + '.' +
                           std::to_string(node->branch->rootInode) + '.' +
                           std::to_string(copy.info.st_nlink);
  const int links = copy.target->links.get();
  if (linkat(copy.target->work.get(), copy.temporary.c_str(), links, name.c_str(), 0) < 0) {
    if (errno != EEXIST) return lastFailure("linkat", "make a pseudo link");
    (void)unlinkat(links, name.c_str(), 0);
    if (linkat(copy.target->work.get(), copy.temporary.c_str(), links, name.c_str(), 0) < 0) {
      return lastFailure("linkat", "make a pseudo link");
    }
  }
  tree_.addPseudoLink({copy.info.st_dev, copy.info.st_ino}, {.branch = copy.target,
                                                             .name = name,
                                                             .device = info.st_dev,
                                                             .inode = info.st_ino,
                                                             .names = copy.info.st_nlink});
  return {};
}

Result<Node*> Writer::finishCopy(Node* node, const Copy& copy) {
  if (copy.generation != tree_.generation() || !hasName(node, copy.parent, copy.name)) {
    return refusal(EAGAIN, "changed meanwhile");
  }
  if (Status raised = raiseDirectory(copy.parent, copy.targetIndex); !raised) return raised;
  Result<ViewPointer> view = tree_.viewOf(copy.parent);
  if (!view) return view.status();
  const Part* part = view.value()->at(copy.target.get());
  if (part == nullptr) return refusal(EROFS, "the parent is not in the branch");
  struct stat info;
  const int work = copy.target->work.get();
  if (fstatat(work, copy.temporary.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0) {
    return lastFailure("fstatat", "copy up");
  }
  const bool linked = copy.info.st_nlink > 1;
  if (linked) {
    if (Status added = addPseudoLink(node, copy, info); !added) return added;
    ++info.st_nlink;
  }
  const KeptTimes times(part->fd.get());
  if (renameat2(work, copy.temporary.c_str(), part->fd.get(), copy.name.c_str(), RENAME_NOREPLACE) <
      0) {
    return lastFailure("renameat2", "copy up");
  }
  ++copies_;
  Result<Node*> adopted = adopt(node, copy.target, info);
  if (adopted && linked) adopted.value()->pseudo = true;
  return adopted;
}

Result<Node*> Writer::raise(Node* node, bool withData) {
  for (;;) {
    Result<Copy> begun = beginCopy(node);
    if (!begun) return begun.status();
    Copy& copy = begun.value();
    if (copy.ready != nullptr) return Result<Node*>(std::move(copy.ready));
    const Status made = makeCopy(copy, withData);
    const std::unique_lock lock(tree_.lock);
    node->copying = false;
    copied_.notify_all();
    Result<Node*> finished = made ? finishCopy(node, copy) : Result<Node*>(made);
    if (finished) return finished;
    (void)unlinkat(copy.target->work.get(), copy.temporary.c_str(), 0);
    if (finished.error().number != EAGAIN) return finished;
  }
}

Status Writer::raiseName(Node* directory, const char* name, const View& view, const Found& found) {
  const Part& lower = view.parts[found.part];
  if (lower.branch->writable()) return {};
  PseudoLink* link = tree_.pseudoLinkOf(found.info);
  if (link == nullptr) return refusal(ESTALE, "not copied up");
  const auto& list = tree_.branches();
  const auto at = std::find(list.begin(), list.end(), link->branch);
  if (at == list.end()) return refusal(ESTALE, "not copied up");
  const auto index = static_cast<std::size_t>(at - list.begin());
  if (Status raised = raiseDirectory(directory, index); !raised) return raised;
  Result<ViewPointer> raised = tree_.viewOf(directory);
  if (!raised) return raised.status();
  const Part* part = raised.value()->at(link->branch.get());
  const KeptTimes times(part->fd.get());
  return checked(linkat(link->branch->links.get(), link->name.c_str(), part->fd.get(), name, 0),
                 "linkat");
}

}  // namespace teu::unionfs
