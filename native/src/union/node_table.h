#pragma once

#include <functional>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "union/fuse_abi.h"
#include "union/node.h"

namespace teu::unionfs {

/// All nodes and names. Not locked: whoever calls holds Tree::table.
class NodeTable {
 public:
  NodeTable();
  ~NodeTable();
  NodeTable(const NodeTable&) = delete;
  NodeTable& operator=(const NodeTable&) = delete;

  Node* root() noexcept { return &root_; }
  /// What the kernel calls a node.
  std::uint64_t idOf(const Node* node) const noexcept {
    return node == &root_ ? FUSE_ROOT_ID : reinterpret_cast<std::uintptr_t>(node);
  }
  Node* nodeOf(std::uint64_t id) noexcept {
    return id == FUSE_ROOT_ID ? &root_ : reinterpret_cast<Node*>(id);
  }
  std::size_t nodes() const noexcept { return nodes_; }
  /// Called for a node that is about to be freed.
  std::function<void(Node*)> onFree{};

  Node* make(mode_t type);
  Name* find(const Node* parent, std::string_view text) const;
  Name* add(Node* parent, std::string_view text, Node* node);
  /// Takes a name away; a node without names is `removed`. The node stays until it is forgotten.
  void drop(Name* name);
  /// The name stands for another node from now on.
  void repoint(Name* name, Node* node);
  /// Frees the node if nobody needs it, and its directories if they were waiting for that.
  void release(Node* node);
  /// A node of that backing file which has more than one name, or null.
  Node* linked(dev_t device, ino_t inode) const;
  /// Has linked() find the node, or no longer: before its backing file changes.
  void setLinked(Node* node, bool on);
  /// From now on `node` stands for what it was, and `successor` for what its names mean.
  void setSuccessor(Node* node, Node* successor);

  void forEach(const std::function<void(const Name&)>& visit) const;

 private:
  static std::uint32_t hashOf(const Node* parent, std::string_view text);
  static bool isNeeded(const Node* node);
  void unlinkFromNode(Name* name);
  void freeName(Name* name);
  void grow();

  Node root_{};
  std::size_t nodes_ = 0;
  std::size_t names_ = 0;
  std::vector<Name*> buckets_;
  std::map<std::pair<dev_t, ino_t>, Node*> linked_{};
};

}  // namespace teu::unionfs
