#pragma once

#include <span>
#include <string>

namespace teu::cage {

/// One mount(2) call, already parsed by the service out of the storage driver's answer.
struct MountCall {
  std::string type{};
  std::string source{};
  std::string target{};  ///< below the root; empty for the root
  unsigned long flags = 0;
  std::string data{};
};

/// Number of arguments that describe a mount: TYPE SOURCE TARGET FLAGS DATA.
inline constexpr std::size_t kMountFields = 5;

/// Reads these arguments. False if the flags are no number.
bool parseMountCall(std::span<char* const, kMountFields> fields, MountCall& call);

}  // namespace teu::cage
