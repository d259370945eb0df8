#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "layer/directory_resolver.h"
#include "layer/entry_path.h"
#include "layer/limits.h"
#include "layer/tar_reader.h"

namespace teu::layer {

/// Makes the entries of one layer in a mounted tree, on top of what lower layers left there.
class TreeWriter {
 public:
  /// With `standalone` there are no lower layers yet: what only they could tell is NEEDS_PARENT,
  /// and the rest comes out as it would on top of them, whatever they are.
  TreeWriter(int rootFd, const Limits& limits, bool standalone)
      : rootFd_(rootFd), limits_(limits), standalone_(standalone), resolver_(rootFd, standalone) {}

  /// Makes one entry; takes its data from the reader.
  Outcome write(const TarEntry& entry, TarReader& reader);
  /// Sets the times of directories, which had to wait until nothing is made in them any more.
  Outcome finish();

  /// Bytes of file content written, holes excluded.
  std::uint64_t contentBytes() const noexcept { return contentBytes_; }

 private:
  Outcome writePlain(const TarEntry& entry, const std::string& path, TarReader& reader);
  Outcome hide(const TarEntry& entry, NameKind kind, const std::string& hidden);
  Outcome clear(const Directory& parent, const std::string& base);
  Outcome makeRoot(const TarEntry& entry);
  Outcome makeFile(const TarEntry& entry, const Directory& parent, const std::string& base,
                   TarReader& reader);
  Outcome makeDirectory(const TarEntry& entry, const Directory& parent, const std::string& base);
  Outcome makeHardLink(const TarEntry& entry, const Directory& parent, const std::string& base);
  Outcome makeSymlink(const TarEntry& entry, const Directory& parent, const std::string& base);
  Outcome makeNode(const TarEntry& entry, const Directory& parent, const std::string& base);
  Outcome copyData(const TarEntry& entry, int fd, TarReader& reader);

  struct DirectoryTimes {
    std::string path;
    timespec times[2];
  };

  const int rootFd_;
  const Limits& limits_;
  const bool standalone_;
  DirectoryResolver resolver_;
  std::vector<DirectoryTimes> directories_;
  std::uint64_t contentBytes_ = 0;
};

}  // namespace teu::layer
