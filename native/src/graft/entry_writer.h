#pragma once

#include <cstdint>
#include <string>

#include "graft/hard_links.h"
#include "graft/names.h"

namespace teu::graft {

/// Makes and changes entries in the new tree.
class EntryWriter {
 public:
  EntryWriter(const Position& changed, const Position& target, int root)
      : changed_(changed), target_(target), links_(root) {}

  /// Copies an entry of the changed tree, without what is in it. What has its name and is not a
  /// directory under a directory is removed before, with all that is in it.
  Outcome copy(const char* name, const std::string& path, const struct statx& info);
  /// Makes, below where the new tree stands, a directory like the one that `source` stands in.
  Outcome copyDirectory(int source, const char* name, const std::string& path);
  /// Applies to an entry of the new tree what is different in attributes; `changed` false if it has
  /// them already. Its content stays.
  Outcome applyAttributes(const Pair& pair, const Difference& difference, const struct statx& info,
                          bool& changed);

 private:
  Outcome clear(const char* name, const std::string& path, bool isDirectory, bool& kept);
  Outcome make(const char* name, const std::string& path, const struct statx& info,
               const tree::EntryFacts& facts, bool& complete);
  Outcome copyFile(int from, const char* name, const std::string& path, std::uint64_t size);
  Outcome separate(const char* name, const std::string& path, std::uint64_t size);
  Outcome describe(const char* name, const std::string& path, const tree::EntryFacts& wanted);

  const Position& changed_;
  const Position& target_;
  HardLinks links_;
};

}  // namespace teu::graft
