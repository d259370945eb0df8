// What the kernel knows of the union: a node for each inode it holds, a name for each entry.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "union/branch.h"

namespace teu::unionfs {

struct Node;

/// An entry of a directory that the kernel may have cached. Its text follows it in memory.
struct Name {
  Node* parent;
  Node* node;
  Name* hashNext;
  Name* nodeNext;  ///< other names of the node
  std::uint32_t hash;
  std::uint32_t length;

  char* text() noexcept { return reinterpret_cast<char*>(this + 1); }
  const char* text() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  std::string_view view() const noexcept { return {text(), length}; }
};

/// A directory of one branch that a directory of the union is merged from.
struct Part {
  BranchPointer branch;
  std::size_t index;  ///< of the branch in the list
  UniqueFd fd;        ///< O_PATH
};

/// The directories that one of the union is merged from, topmost first. Never changed once made.
struct View {
  std::uint32_t generation = 0;
  std::vector<Part> parts{};

  const Part* at(const Branch* branch) const noexcept {
    for (const Part& part : parts) {
      if (part.branch.get() == branch) return &part;
    }
    return nullptr;
  }
};
using ViewPointer = std::shared_ptr<const View>;

/// What only directories have.
struct DirectoryState {
  ViewPointer view{};
  std::string absent{};  ///< names the kernel may remember as absent, each ended by NUL
  bool recent = false;   ///< whether it is on the list of views that are kept
};

/// A file that is open.
struct OpenFile {
  UniqueFd fd{};
  std::uint32_t opens = 0;
  std::uint32_t writers = 0;
  std::uint32_t backingId = 0;  ///< 0: data goes through this process
};

struct Node {
  std::uint64_t lookups = 0;     ///< that the kernel has not taken back
  std::uint32_t pins = 0;        ///< names in this directory, and nodes it is the successor of
  std::uint32_t generation = 0;  ///< of the branch list when the backing file was found
  mode_t type = 0;               ///< S_IFMT bits
  bool copying = false;          ///< somebody copies it up
  bool removed = false;          ///< has no name any more
  bool superseded = false;       ///< its names stand for another file now
  bool pseudo = false;           ///< is reached through the place of pseudo links
  bool changedBelow = false;     ///< pages the kernel has may be of another file
  bool linked = false;           ///< NodeTable::linked finds it
  bool mapped = false;           ///< was opened for reading and writing, so may change by mmap
  std::uint64_t number = 0;      ///< st_ino in the union
  dev_t device = 0;              ///< of the backing file, of files only
  ino_t inode = 0;
  BranchPointer branch{};
  Name* names = nullptr;
  Node* successor = nullptr;  ///< what its names mean since it was copied up while open
  std::unique_ptr<DirectoryState> directory{};
  std::unique_ptr<OpenFile> file{};
  UniqueFd held{};  ///< O_PATH, of what was removed
  /// The thread that was told to look this node up again, and has it still if it comes back.
  std::int32_t lastStale = 0;

  bool isDirectory() const noexcept { return S_ISDIR(type); }
  bool isOpen() const noexcept { return file != nullptr; }
};

}  // namespace teu::unionfs
