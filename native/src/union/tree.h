// The union as a tree: what a name stands for, and where that lies.
#pragma once

#include <sys/stat.h>

#include <list>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "union/node_table.h"

namespace teu::unionfs {

/// The topmost entry of a name.
struct Found {
  std::size_t part = 0;  ///< in the view of the directory
  struct stat info {};
};

/// A directory entry in a branch.
struct Place {
  ViewPointer view{};  ///< keeps `directory` open
  BranchPointer branch{};
  int directory = -1;
  std::string name{};
  const char* text() const noexcept { return name.c_str(); }
};

/// A file with several names below that was copied up: what those names mean.
struct PseudoLink {
  BranchPointer branch{};  ///< where the copy is
  std::string name{};      ///< in its place of pseudo links
  dev_t device = 0;        ///< of the copy
  ino_t inode = 0;
  std::uint64_t names = 0;  ///< that the union shows
};
using BackingKey = std::pair<dev_t, ino_t>;

/// Locks: `lock` is shared by who looks and held by who changes names, backing files or the list of
/// branches; `table` is taken within it for the nodes, and never held during a system call. Nothing
/// that takes long (copying, telling the kernel) is done under either.
class Tree {
 public:
  explicit Tree(BranchList list);

  std::shared_mutex lock{};
  std::mutex table{};
  NodeTable nodes{};

  const BranchList& branches() const noexcept { return branches_; }
  std::uint32_t generation() const noexcept { return generation_; }
  /// Takes another list. Holding `lock`.
  void setBranches(BranchList list);
  /// Forgets where directories lie, so that they are looked for again. Holding `lock`.
  void forgetViews();

  /// Where a directory lies. ENOENT: it is gone.
  Result<ViewPointer> viewOf(Node* directory);
  /// The directory of that name.
  Result<ViewPointer> viewBelow(const View& parent, const char* name) const;
  /// Replaces the view of a directory. Holding `lock`.
  void setView(Node* directory, ViewPointer view);
  /// The node is about to be freed. Holding `table`.
  void forgetView(Node* directory);

  /// The topmost entry of a name from part `first` on. ENOENT: none, or hidden.
  Result<Found> find(const View& directory, const char* name, std::size_t first = 0) const;
  bool hasWhiteout(const Part& part, const char* name) const;

  /// Holds `lock` shared, with the node brought up to date with the list of branches.
  std::shared_lock<std::shared_mutex> look(Node* node);
  /// Holds `lock`, likewise.
  std::unique_lock<std::shared_mutex> change(Node* node);

  /// Where the file of a node lies. ESTALE: not there any more.
  Result<Place> placeOf(Node* node);
  /// An O_PATH descriptor of what the node stands for, a directory's topmost.
  Result<UniqueFd> openPath(Node* node);
  Result<struct stat> statOf(Node* node);
  /// What the union shows of a node with that backing file.
  void present(const Node* node, struct stat& info);
  /// The node has that backing file from now on. Holding `lock`.
  void setBacking(Node* node, const BranchPointer& branch, const struct stat& info);

  /// Index of the branch to write to for something in branch `index`, which is that one itself if
  /// it is writable, or else the next one above. EROFS: none.
  Result<std::size_t> writableFor(std::size_t index) const;

  /// st_ino in the union of a backing file.
  std::uint64_t numberOf(dev_t device, ino_t inode);
  /// The file keeps the number that it had below.
  void keepNumber(dev_t device, ino_t inode, std::uint64_t number);
  void dropNumber(dev_t device, ino_t inode);

  std::map<BackingKey, PseudoLink> pseudoLinks{};
  void addPseudoLink(const BackingKey& original, PseudoLink link);
  void dropPseudoLink(const PseudoLink& link);
  /// The pseudo link that a file in a lower branch has become, or null.
  PseudoLink* pseudoLinkOf(const struct stat& info);
  /// The pseudo link whose copy that is, or null.
  PseudoLink* pseudoLinkWithCopy(const struct stat& info);
  PseudoLink* pseudoCopy(const Node& node);

 private:
  struct Entry {
    Node* parent = nullptr;
    std::string name{};
  };
  Result<ViewPointer> makeRootView() const;
  std::vector<Entry> entriesOf(const Node* node);
  void refresh(Node* node);
  bool isCurrent(const Node* node) const noexcept;
  ViewPointer cachedView(Node* directory);

  BranchList branches_;
  std::uint32_t generation_ = 1;
  std::list<Node*> recent_{};
  std::unordered_map<dev_t, std::uint64_t> devices_{};
  std::map<BackingKey, std::uint64_t> kept_{};
  std::map<BackingKey, BackingKey> pseudoCopies_{};  ///< to what they are copies of
};

}  // namespace teu::unionfs
