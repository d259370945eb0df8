#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "layer/failure.h"

namespace teu::pack {

using layer::Outcome;

/// One line of the plan.
struct Piece {
  enum class Kind { kEnd, kText, kBlob };
  Kind kind = Kind::kEnd;
  std::string hex{};  ///< of a blob: 64 lower-case digits
  std::uint64_t size = 0;
};

/// Reads the plan, line by line; see README.md.
class PlanReader {
 public:
  explicit PlanReader(std::FILE* input) noexcept : input_(input) {}

  /// @return USAGE for a line that is none
  Outcome next(Piece& piece);
  /// Reads bytes that follow a line of text. @return how many; fewer only at the end of the plan
  std::size_t read(std::uint8_t* data, std::size_t size);

 private:
  std::FILE* input_;
};

}  // namespace teu::pack
