// The union as the kernel asks for it: one method for each request, called by several threads.
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

#include <atomic>
#include <string>

#include "union/notifier.h"
#include "union/tree.h"
#include "union/writer.h"

namespace teu::unionfs {

/// What is to be made by a request.
struct Making {
  mode_t mode = 0;  ///< with S_IFMT
  dev_t device = 0;
  const char* target = "";   ///< of a symbolic link
  UniqueFd* file = nullptr;  ///< has it opened
};

/// What an open file means for the kernel.
struct OpenAnswer {
  std::uint32_t backingId = 0;  ///< 0: data goes through this process
  bool keepCache = false;       ///< pages the kernel has are still right
};

class FileSystem {
 public:
  explicit FileSystem(BranchList list) : tree(std::move(list)), writer(tree, notifier) {}

  Tree tree;
  Notifier notifier{};
  Writer writer;
  int device = -1;  ///< /dev/fuse of the mount
  std::atomic<bool> canPassThrough = false;
  std::atomic<bool> canExpire = false;
  std::atomic<bool> revalidates = false;
  std::atomic<std::uint64_t> openFiles = 0;
  std::atomic<std::uint64_t> passedThrough = 0;  ///< of the open files

  /// The requests, for fuse_session_new; their user data is a FileSystem.
  static const fuse_lowlevel_ops& operations();

  Node* node(fuse_ino_t id) noexcept { return tree.nodes.nodeOf(id); }
  double timeout() const noexcept;
  double attributeTimeout(const Node* node) const noexcept;

  // lookups.cc
  Result<fuse_entry_param> lookUp(Node* parent, const char* name);
  /// The node of an entry that was found, with one lookup more. `exclusive`: whether `lock` is
  /// held; without it null if a known name has to stand for another file.
  Node* bind(Node* parent, const char* name, const View& view, const Found& found, bool exclusive);
  fuse_entry_param entryOf(Node* node, const struct stat& backing);
  /// Remembers that the kernel has this name cached as absent; false if there are too many.
  bool rememberAbsent(Node* parent, std::string_view name);
  void forgetAbsent(Node* parent, std::string_view name);
  /// No name is remembered any more. Holding `table`.
  void forgetAllAbsent() noexcept { totalAbsent_ = 0; }
  void forget(Node* node, std::uint64_t count);

  // changes
  Result<fuse_entry_param> make(const fuse_ctx& caller, Node* parent, const char* name,
                                const Making& making);
  Status unlink(Node* parent, const char* name);
  Status removeDirectory(Node* parent, const char* name);
  Result<fuse_entry_param> link(Node* node, Node* parent, const char* name);
  Status rename(Node* parent, const char* name, Node* newParent, const char* newName,
                unsigned flags);

  // open_files.cc
  Result<OpenAnswer> open(Node* node, int flags, const fuse_ctx& caller);
  /// Takes a file that was just made and opened.
  Result<OpenAnswer> openMade(Node* node, UniqueFd file, int flags);
  void close(Node* node, int flags);
  UniqueFd* fileOf(Node* node) noexcept { return node->isOpen() ? &node->file->fd : nullptr; }

  Result<struct stat> setAttributes(Node* node, const struct stat& wanted, int mask,
                                    const fuse_ctx& caller);
  /// A descriptor of what has the extended attributes of a node, copied up if they will be changed.
  Result<UniqueFd> openForAttributes(Node* node, bool writing);

 private:
  struct Side;

  Result<OpenAnswer> install(Node* node, UniqueFd file, int flags, std::unique_lock<std::mutex>&);
  Result<UniqueFd> openBackingFile(Node* node, int flags);
  std::uint32_t openBacking(Branch& branch, int fd);
  void closeBacking(std::uint32_t id) const;
  void killPrivileges(Node* node, int fd);

  // making.cc; all holding `lock`
  Status place(const fuse_ctx& caller, const Part& part, const char* name, const Making& making);
  Result<ViewPointer> viewForNew(Node* parent, const char* name, const Part** target);
  Result<fuse_entry_param> bindMade(Node* parent, const char* name);

  // removing.cc; all holding `lock`
  bool showsBelow(const View& view, const char* name, std::size_t part) const;
  Result<ViewPointer> hide(Node* parent, const char* name, const View& view, std::size_t part);
  void dropName(Node* parent, const char* name, UniqueFd held);
  void countPseudoNameAway(const struct stat& info);
  Status checkEmpty(const View& directory) const;
  Status discardDirectory(const Part& parent, const char* name);

  // renaming.cc; the first without `lock`
  Status raiseEntry(Node* parent, const char* name);
  Status tryRename(Node* parent, const char* name, Node* newParent, const char* newName,
                   unsigned flags);
  Result<Side> sideOf(Node* parent, const char* name);
  Status prepareToMove(Side& side);
  Result<const Part*> targetOf(Side& side, const BranchPointer& branch);
  Status makeRoom(Side& side, const Part& target);
  Status move(Side& from, Side& to, unsigned flags);
  void moveName(const Side& from, const Side& to, bool exchange);
  void holdReplaced(const Side& side);
  bool hasSomethingUnder(const Side& side, const Part& target) const;

  std::size_t totalAbsent_ = 0;
};

inline FileSystem& fileSystemOf(fuse_req_t request) {
  return *static_cast<FileSystem*>(fuse_req_userdata(request));
}

/// Answers with the errno of a failure.
inline void refuse(fuse_req_t request, const SysError& error) {
  fuse_reply_err(request, error.number == 0 ? EIO : error.number);
}

inline void answer(fuse_req_t request, const Status& status) {
  fuse_reply_err(request, status ? 0 : status.error().number);
}

}  // namespace teu::unionfs
