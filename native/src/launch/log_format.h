// The log of a program's output: two files, `log` and before it `log.1`, each a header and then
// records. A record's offset counts the record bytes since the program began, file headers left
// out, so it is a stable address.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace teu {

struct LogFileHeader {
  char magic[8];   ///< kLogMagic
  uint64_t first;  ///< offset of the first record in this file
};
inline constexpr char kLogMagic[9] = "TEULOG1\n";

struct LogRecordHeader {
  uint64_t offset;
  uint64_t timeNs;  ///< CLOCK_REALTIME
  uint32_t length;  ///< of the bytes that follow
  uint8_t stream;
  uint8_t flags;
  uint16_t magic;  ///< kLogRecordMagic
};

inline constexpr uint16_t kLogRecordMagic = 0x4c54;
inline constexpr uint8_t kLogStdout = 1;
inline constexpr uint8_t kLogStderr = 2;
/// Output before this record is missing: it could not be written, or this reader was too slow for
/// the rotation.
inline constexpr uint8_t kLogFlagGap = 1;
inline constexpr size_t kLogMaxData = 16 * 1024;

static_assert(sizeof(LogFileHeader) == 16 && sizeof(LogRecordHeader) == 24);

/// True if a header read from disk can be that of the record at `offset`.
inline bool isLogRecordAt(const LogRecordHeader& header, uint64_t offset) noexcept {
  return header.magic == kLogRecordMagic && header.offset == offset &&
         header.length <= kLogMaxData && header.length > 0;
}

}  // namespace teu
