#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace teu::layer {

/// SHA-256 of a stream (FIPS 180-4), by libcrypto's assembly, which uses SHA-NI where the processor
/// has it.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(const std::uint8_t* data, std::size_t size) noexcept;
  /// "sha256:<64 hex digits>"; call once, at the end.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace teu::layer
