#include "union/node_table.h"

#include <stdlib.h>
#include <string.h>

#include <new>

namespace teu::unionfs {
namespace {

constexpr std::size_t kFirstBuckets = 256;

}  // namespace

NodeTable::NodeTable() : buckets_(kFirstBuckets, nullptr) {
  root_.type = S_IFDIR;
  root_.lookups = 1;
  root_.directory = std::make_unique<DirectoryState>();
}

NodeTable::~NodeTable() {
  for (Name* name : buckets_) {
    while (name != nullptr) free(std::exchange(name, name->hashNext));
  }
}

Node* NodeTable::make(mode_t type) {
  Node* node = new Node;
  node->type = type & S_IFMT;
  if (node->isDirectory()) node->directory = std::make_unique<DirectoryState>();
  ++nodes_;
  return node;
}

std::uint32_t NodeTable::hashOf(const Node* parent, std::string_view text) {
  // FNV-1a, begun at the parent.
  std::uint64_t hash = 0xcbf29ce484222325 ^ (reinterpret_cast<std::uintptr_t>(parent) >> 4);
  for (const char letter : text) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  }
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

Name* NodeTable::find(const Node* parent, std::string_view text) const {
  const std::uint32_t hash = hashOf(parent, text);
  Name* name = buckets_[hash & (buckets_.size() - 1)];
  while (name != nullptr &&
         (name->hash != hash || name->parent != parent || name->view() != text)) {
    name = name->hashNext;
  }
  return name;
}

Name* NodeTable::add(Node* parent, std::string_view text, Node* node) {
  if (names_ >= buckets_.size()) grow();
  void* memory = malloc(sizeof(Name) + text.size() + 1);
  if (memory == nullptr) abort();
  const std::uint32_t hash = hashOf(parent, text);
  Name*& bucket = buckets_[hash & (buckets_.size() - 1)];
  Name* name = new (memory) Name{.parent = parent,
                                 .node = node,
                                 .hashNext = bucket,
                                 .nodeNext = node->names,
                                 .hash = hash,
                                 .length = static_cast<std::uint32_t>(text.size())};
  memcpy(name->text(), text.data(), text.size());
  name->text()[text.size()] = '\0';
  bucket = name;
  node->names = name;
  node->removed = false;
  ++parent->pins;
  ++names_;
  return name;
}

void NodeTable::grow() {
  std::vector<Name*> larger(buckets_.size() * 2, nullptr);
  for (Name* name : buckets_) {
    while (name != nullptr) {
      Name* next = name->hashNext;
      Name*& bucket = larger[name->hash & (larger.size() - 1)];
      name->hashNext = bucket;
      bucket = name;
      name = next;
    }
  }
  buckets_ = std::move(larger);
}

void NodeTable::unlinkFromNode(Name* name) {
  Name** at = &name->node->names;
  while (*at != name) at = &(*at)->nodeNext;
  *at = name->nodeNext;
}

void NodeTable::freeName(Name* name) {
  Name** at = &buckets_[name->hash & (buckets_.size() - 1)];
  while (*at != name) at = &(*at)->hashNext;
  *at = name->hashNext;
  --names_;
  Node* parent = name->parent;
  free(name);
  --parent->pins;
  release(parent);
}

void NodeTable::drop(Name* name) {
  Node* node = name->node;
  unlinkFromNode(name);
  if (node->names == nullptr) node->removed = true;
  freeName(name);
  release(node);
}

void NodeTable::repoint(Name* name, Node* node) {
  Node* before = name->node;
  unlinkFromNode(name);
  name->node = node;
  name->nodeNext = node->names;
  node->names = name;
  node->removed = false;
  if (before->names == nullptr) before->removed = true;
  release(before);
}

bool NodeTable::isNeeded(const Node* node) {
  return node->lookups > 0 || node->pins > 0 || node->isOpen() || node->copying;
}

void NodeTable::release(Node* node) {
  if (node == &root_ || isNeeded(node)) return;
  while (node->names != nullptr) {
    Name* name = node->names;
    unlinkFromNode(name);
    freeName(name);
  }
  setLinked(node, false);
  if (node->successor != nullptr) {
    --node->successor->pins;
    release(node->successor);
  }
  --nodes_;
  if (onFree) onFree(node);
  delete node;
}

Node* NodeTable::linked(dev_t device, ino_t inode) const {
  const auto found = linked_.find({device, inode});
  return found == linked_.end() ? nullptr : found->second;
}

void NodeTable::setLinked(Node* node, bool on) {
  if (node->linked == on) return;
  node->linked = on;
  if (on) {
    Node*& known = linked_[{node->device, node->inode}];
    if (known != nullptr) known->linked = false;
    known = node;
  } else {
    linked_.erase({node->device, node->inode});
  }
}

void NodeTable::setSuccessor(Node* node, Node* successor) {
  ++successor->pins;
  while (node->names != nullptr) repoint(node->names, successor);
  node->successor = successor;
}

void NodeTable::forEach(const std::function<void(const Name&)>& visit) const {
  for (const Name* name : buckets_) {
    for (; name != nullptr; name = name->hashNext) visit(*name);
  }
}

}  // namespace teu::unionfs
