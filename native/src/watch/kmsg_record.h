// Records of /dev/kmsg (kernel: Documentation/ABI/testing/dev-kmsg).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace teu::watch {

/// One record that the kernel itself has written.
struct KmsgRecord {
  std::uint64_t sequence = 0;
  std::uint64_t microseconds = 0;  ///< of the kernel's own clock since it was started
  bool fromKernel = false;         ///< false: a process wrote it, and it may say anything
  /// Flag "c": it goes on with a line that another record has begun. The kernel's hint, which may
  /// be wrong.
  bool isFragment = false;
  /// Task or processor that wrote it, "T12" or "C0"; empty where the kernel does not say
  /// (CONFIG_PRINTK_CALLER).
  std::string caller{};
  std::string text{};  ///< without a line end; bytes as they were before the kernel escaped them
};

/// Reads a record as read(2) gives it: "PRIORITY,SEQUENCE,TIME,FLAGS[,...];TEXT\n", then lines "
/// KEY=VALUE\n". Nothing if it has another form.
std::optional<KmsgRecord> parseKmsgRecord(std::string_view raw);

/// Undoes "\xNN", as the kernel writes what is not printable, and the backslash itself. Nothing if
/// a backslash stands for something else.
std::optional<std::string> unescapeKmsg(std::string_view text);

}  // namespace teu::watch
