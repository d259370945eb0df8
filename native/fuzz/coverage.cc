#include "fuzz/coverage.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace teu::fuzz {
namespace {

constexpr std::size_t kSlots = 1 << 16;

std::uint8_t taken[kSlots];
std::uint8_t seen[kSlots];  // One bit for each power of two of the count.
std::uintptr_t previous = 0;
std::size_t count = 0;

}  // namespace

void beginRun() {
  std::memset(taken, 0, sizeof taken);
  previous = 0;
}

bool foundNew() {
  bool isNew = false;
  for (std::size_t at = 0; at < kSlots; ++at) {
    if (taken[at] == 0) continue;
    const auto bit = static_cast<std::uint8_t>(1U << (std::bit_width(taken[at]) - 1U));
    if ((seen[at] & bit) != 0) continue;
    seen[at] = static_cast<std::uint8_t>(seen[at] | bit);
    ++count;
    isNew = true;
  }
  return isNew;
}

std::size_t seenCount() {
  return count;
}

}  // namespace teu::fuzz

/// Called by the compiled code at each edge. An edge is the pair of two places.
extern "C" void __sanitizer_cov_trace_pc() {
  using namespace teu::fuzz;
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  std::uint8_t& counter = taken[((here >> 1) ^ previous) % kSlots];
  if (counter != UINT8_MAX) ++counter;
  previous = here >> 2;
}
