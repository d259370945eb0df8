#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "layer/failure.h"
#include "sys/unique_fd.h"

namespace teu::layer {

/// A directory of the layer's tree, held open (O_PATH).
struct Directory {
  UniqueFd fd;
  std::string path;  ///< canonical: no link on the way
};

/// Finds the directories in which entries are made. Every open goes through openat2 from the root's
/// handle with RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS and RESOLVE_NO_SYMLINKS; links are followed
/// by this class, one by one, so that it can tell a link of a lower layer (followed inside the
/// root, as `/var/run` must be) from one that this very layer planted to be written through
/// (refused if it is absolute or climbs out of the tree).
class DirectoryResolver {
 public:
  /// With `standalone` a directory that is missing may be in a layer below, which is not there to
  /// be asked.
  DirectoryResolver(int rootFd, bool standalone) : rootFd_(rootFd), standalone_(standalone) {}

  /// Opens `path` ("" is the root). With `create`, makes what is missing, 0755 and root's.
  Outcome open(const std::string& path, bool create, std::shared_ptr<Directory>& directory);

  /// Remembers what this layer has made; paths are canonical.
  void noteMade(std::string path) { made_.insert(std::move(path)); }
  void noteLink(const std::string& path, std::string_view target);
  bool madeHere(const std::string& path) const { return made_.contains(path); }

  /// To be called when directories may have gone: handles of them must not be used again.
  void forget() { cache_.clear(); }

 private:
  Outcome makeMissing(const std::string& path, std::shared_ptr<Directory>& directory);
  Outcome canonicalize(const std::string& path, std::string& canonical) const;

  const int rootFd_;
  const bool standalone_;
  std::unordered_map<std::string, std::shared_ptr<Directory>> cache_;
  std::unordered_set<std::string> made_;
  std::unordered_set<std::string> leavingLinks_;
};

}  // namespace teu::layer
