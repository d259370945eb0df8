// Bounds on what an untrusted layer may ask for. The service sets them by arguments; these are the
// defaults.
#pragma once

#include <cstddef>
#include <cstdint>

namespace teu::layer {

struct Limits {
  std::uint64_t bytes = std::uint64_t{64} << 30;  ///< uncompressed tar
  std::uint64_t entries = 2'000'000;              ///< tar entries
  std::uint64_t ratio = 200;                      ///< uncompressed : compressed, above ratioFloor
  std::uint64_t ratioFloor = std::uint64_t{1} << 30;  ///< bytes of output that no ratio is asked of
  std::uint64_t headerBytes = std::uint64_t{1} << 20;  ///< PAX and GNU extensions of one entry
  std::uint64_t depth = 1024;                          ///< components of a path
  static constexpr std::size_t kPathBytes = 4095;      ///< PATH_MAX without its NUL
  static constexpr std::size_t kNameBytes = 255;       ///< NAME_MAX
  static constexpr std::size_t kSparseSegments = 65536;
  static constexpr std::size_t kAttributes = 1024;
  static constexpr std::size_t kAttributeBytes = 65536;  ///< XATTR_SIZE_MAX
};

}  // namespace teu::layer
