// A rule about device nodes, as the command line has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace teu::devices {

/// Whether some device nodes may be used; of several rules the last that has to do with an access
/// decides it.
struct Rule {
  bool allow = false;
  char type = 'a';                     ///< 'a' both, 'b' block, 'c' character
  std::optional<std::uint32_t> major;  ///< none: any
  std::optional<std::uint32_t> minor;
  std::uint32_t access = 0;  ///< BPF_DEVCG_ACC_*
};

/// Reads "+c:1:3:rwm" or "-b:*:*:m". Nothing if it is not of this form.
std::optional<Rule> parseRule(std::string_view text);

}  // namespace teu::devices
