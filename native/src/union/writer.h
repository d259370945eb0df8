// What makes things writable: copies of what lies in branches that are not, whiteouts, and the
// parents of both.
#pragma once

#include <atomic>
#include <condition_variable>
#include <string>

#include "union/tree.h"

namespace teu::unionfs {

class Notifier;

class Writer {
 public:
  Writer(Tree& tree, Notifier& notifier) noexcept : tree_(tree), notifier_(notifier) {}

  /// Makes a node writable, copying its file up if need be; `withData` false: only what is beside
  /// its data, because that is about to be cut off. Answers the node to write to: another one if
  /// this one is open and has to stay what it is. Without `lock`.
  Result<Node*> raise(Node* node, bool withData = true);
  /// Gives a directory a part in branch `index`, and its parents. Holding `lock`.
  Status raiseDirectory(Node* directory, std::size_t index);
  /// A writable entry for this name of a file that is writable already, which may have got that
  /// by another of its names. Holding `lock`.
  Status raiseName(Node* directory, const char* name, const View& view, const Found& found);

  /// Hides a name below a part. Holding `lock`.
  static Status makeWhiteout(const Part& part, const char* name);
  /// Has a directory hide what is below it, of which it has shown nothing so far.
  static Status makeOpaque(const Part& parent, const char* name);
  /// Success if there is none.
  static Status removeWhiteout(const Part& part, const char* name);

  /// A name in a work place that nobody else uses.
  std::string temporaryName();

  std::uint64_t copies() const noexcept { return copies_; }

 private:
  struct Copy;
  Result<Copy> beginCopy(Node* node);
  Status makeCopy(const Copy& copy, bool withData);
  Result<Node*> finishCopy(Node* node, const Copy& copy);
  Result<Node*> adopt(Node* node, const BranchPointer& branch, const struct stat& info);
  Status addPseudoLink(Node* node, const Copy& copy, const struct stat& info);
  Status copyDirectory(const View& from, const Part& parent, const std::string& name);

  Tree& tree_;
  Notifier& notifier_;
  std::condition_variable_any copied_{};
  std::atomic<std::uint64_t> next_ = 0;
  std::atomic<std::uint64_t> copies_ = 0;
};

}  // namespace teu::unionfs
