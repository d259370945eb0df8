#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "sys/unique_fd.h"
#include "tree/outcome.h"

namespace teu::trees {

using tree::failureAt;
using tree::Outcome;

/// Where a walk stands in one tree. It holds one descriptor however deep that is, opens one name at
/// a time and follows no link, so paths of any length work and nothing leads out of the tree.
class Position {
 public:
  Outcome openRoot(const char* directory);

  /// Whether it stands in the directory of the walk, which is so many levels below the root. A tree
  /// that does not have that directory stays behind, in the nearest one that it has.
  bool isAt(std::size_t depth) const noexcept { return fd_ && above_.size() == depth; }
  std::size_t depth() const noexcept { return above_.size(); }
  int fd() const noexcept { return fd_.get(); }

  /// Makes it the working directory, for the calls that take a name and no descriptor.
  Outcome stand(const std::string& path) const;
  /// Looks at a name without following it; `there` false if there is none.
  Outcome lookAt(const char* name, const std::string& path, struct statx& info, bool& there) const;
  /// Goes into a directory; `entered` false if the name is none.
  Outcome enter(const char* name, const std::string& path, bool& entered);
  /// Goes up. Fails with MOVED if the directory is not where it was entered.
  Outcome leave(const std::string& path);

 private:
  struct Place {
    std::uint64_t inode = 0;
    unsigned major = 0;
    unsigned minor = 0;
    bool operator==(const Place&) const = default;
  };

  static Outcome placeOf(int fd, const std::string& path, Place& place);

  UniqueFd fd_;
  Place here_;
  std::vector<Place> above_;  ///< the directories that it went through, from the root down
};

}  // namespace teu::trees
