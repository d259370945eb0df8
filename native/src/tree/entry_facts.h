// What a manifest says about one name in a tree.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tree/outcome.h"
#include "tree/tree_walk.h"

namespace teu::tree {

enum class EntryType : char {
  kFile = 'f',
  kDirectory = 'd',
  kLink = 'l',
  kCharacterDevice = 'c',
  kBlockDevice = 'b',
  kPipe = 'p',
  kSocket = 's',
  kOtherName = 'h',  ///< one more name of what came before under another
};

const char* describeType(EntryType type) noexcept;

struct Attribute {
  std::string name{};
  std::string value{};
  bool operator==(const Attribute&) const = default;
};

struct EntryFacts {
  EntryType type = EntryType::kFile;
  std::string path{};
  unsigned mode = 0;  ///< without the type
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t seconds = 0;  ///< of the last change of content
  std::uint32_t nanoseconds = 0;
  std::uint64_t size = 0;               ///< of a file
  std::uint64_t major = 0;              ///< of a device
  std::uint64_t minor = 0;              ///< of a device
  std::string target{};                 ///< of a link; the first name, for kOtherName
  std::string content{};                ///< digest of a file; empty if it was not read
  std::vector<Attribute> attributes{};  ///< by name

  bool isDevice() const noexcept {
    return type == EntryType::kCharacterDevice || type == EntryType::kBlockDevice;
  }
};

/// Remembers the first name of every file that has several.
class FirstNames {
 public:
  /// The first name of this file in the walk, or nullptr if this is it.
  const std::string* find(const Visited& entry);

 private:
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> names_;
};

/// What is looked at.
struct FactsWanted {
  bool attributes = true;
  bool content = true;
  bool otherNames = true;  ///< otherwise every name is a file of its own
};

/// Reads all facts of an entry in the working directory.
Outcome readFacts(const Visited& entry, const FactsWanted& wanted, FirstNames& names,
                  EntryFacts& facts, std::uint64_t& bytesRead);

}  // namespace teu::tree
