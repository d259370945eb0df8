#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tree/entry_facts.h"
#include "tree/outcome.h"

namespace teu::tree {

inline constexpr std::string_view kManifestMark = "teu-tree-manifest 1";
inline constexpr char kHeaderMark = '#';
inline constexpr std::string_view kManifestEnd = "end ";

/// A manifest in memory, read entry by entry.
class Manifest {
 public:
  Manifest() = default;
  ~Manifest();
  Manifest(const Manifest&) = delete;
  Manifest& operator=(const Manifest&) = delete;

  /// Maps the file. Fails with DAMAGED_MANIFEST if it is not whole, or not the one of `digest`
  /// (empty for any).
  Outcome open(const char* path, std::string_view digest);
  /// Reads the next entry; `there` is false after the last one.
  Outcome next(EntryFacts& facts, bool& there);

 private:
  Outcome verify(std::string_view digest);

  void* mapped_ = nullptr;
  std::size_t size_ = 0;
  std::string_view rest_;
};

}  // namespace teu::tree
