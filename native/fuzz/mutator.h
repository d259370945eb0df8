// Makes inputs out of others. Of tars: bytes and numbers changed, blocks moved, and checksums of
// tar headers set right, without which nothing behind the first header would ever be reached. Of
// text: words, numbers and lines.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace teu::fuzz {

using Input = std::vector<std::uint8_t>;

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  /// A change of `input`; `other` may give a part of itself.
  Input mutate(const Input& input, const Input& other);
  /// The same of text, which is in lines.
  Input mutateText(const Input& input, const Input& other);
  /// A number below `bound`, which is not 0.
  std::size_t below(std::size_t bound) { return random_() % bound; }

 private:
  void change(Input& input, const Input& other);
  void changeText(Input& input, const Input& other);

  std::mt19937_64 random_;
};

/// Sets the checksum of every block that looks like a header.
void repairChecksums(Input& input);

}  // namespace teu::fuzz
