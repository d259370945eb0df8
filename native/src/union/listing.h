#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "union/tree.h"

namespace teu::unionfs {

/// The names of a directory of the union at one moment, with their types and numbers.
class Listing {
 public:
  struct Entry {
    std::uint64_t number = 0;
    std::uint32_t text = 0;
    std::uint8_t type = 0;  ///< DT_*
  };

  /// Reads all branches. Holding the tree's lock shared.
  Status read(Tree& tree, Node* directory);

  std::size_t size() const noexcept { return entries_.size(); }
  const Entry& at(std::size_t index) const { return entries_[index]; }
  const char* nameOf(const Entry& entry) const { return texts_.c_str() + entry.text; }

 private:
  void add(std::string_view name, std::uint64_t number, std::uint8_t type);

  std::vector<Entry> entries_{};
  std::string texts_{};
};

}  // namespace teu::unionfs
