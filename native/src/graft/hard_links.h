#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "tree/outcome.h"

namespace teu::graft {

/// Remembers where files with several names were copied to, so that their other names become links.
/// A file is forgotten when its last name was seen.
class HardLinks {
 public:
  /// `root` is the root of the tree that is written to; it stays the caller's.
  explicit HardLinks(int root) : root_(root) {}

  /// Makes `name` another name of what was copied of this file; `linked` false if nothing was, or
  /// the file system takes no more names of it.
  tree::Outcome link(const struct statx& file, int directory, const char* name,
                     const std::string& path, bool& linked);
  /// The file was copied to `path`.
  void remember(const struct statx& file, const std::string& path);

 private:
  struct Copy {
    std::string path{};
    std::uint32_t namesLeft = 0;
  };
  using Key = std::pair<std::uint64_t, std::uint64_t>;

  static Key keyOf(const struct statx& file) {
    return {(std::uint64_t{file.stx_dev_major} << 32) | file.stx_dev_minor, file.stx_ino};
  }

  const int root_;
  std::map<Key, Copy> copies_;
};

}  // namespace teu::graft
