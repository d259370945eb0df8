#include "cage/mount_call.h"

#include <charconv>
#include <string_view>

namespace teu::cage {

bool parseMountCall(std::span<char* const, kMountFields> fields, MountCall& call) {
  call = {.type = fields[0], .source = fields[1], .target = fields[2], .data = fields[4]};
  const std::string_view flags = fields[3];
  const auto parsed = std::from_chars(flags.data(), flags.data() + flags.size(), call.flags);
  return parsed.ec == std::errc{} && parsed.ptr == flags.data() + flags.size();
}

}  // namespace teu::cage
