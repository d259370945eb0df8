#include "pack/output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "layer/json_line.h"

namespace teu::pack {
namespace {

// Often enough that the sync at the end has little left to do, and seldom enough to write in long
// runs.
constexpr std::uint64_t kWriteBackBytes = 16 * 1024 * 1024;

}  // namespace

Outcome Output::requireRoom() const {
  struct statvfs room {};
  if (!options_.file || fstatvfs(options_.output, &room) != 0) return {};
  // In units of whole blocks; the last one may be begun.
  const std::uint64_t needed = options_.size / room.f_frsize + 1;
  if (room.f_blocks == 0 || needed <= room.f_bfree) return {};
  return layer::sysFailure("fstatvfs", "find room for the archive", ENOSPC);
}

Outcome Output::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(options_.output, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return layer::sysFailure("write", "write the archive", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    written_ += static_cast<std::uint64_t>(count);
  }
  if (options_.file && written_ - sent_ >= kWriteBackBytes) startWriteBack();
  if (options_.progressBytes > 0 && written_ - told_ >= options_.progressBytes) tellProgress();
  return {};
}

Outcome Output::finish() {
  if (written_ != options_.size) {
    return layer::refused(layer::code::kUsage, "the archive is not as large as was said");
  }
  if (!options_.file || fsync(options_.output) == 0) return {};
  return layer::sysFailure("fsync", "sync the archive", errno);
}

/// Only begins it: what fails is found by the sync at the end.
void Output::startWriteBack() {
  const auto from = static_cast<off_t>(sent_);
  (void)sync_file_range(options_.output, from, static_cast<off_t>(written_) - from,
                        SYNC_FILE_RANGE_WRITE);
  sent_ = written_;
}

void Output::tellProgress() {
  layer::JsonLine line;
  const std::string text = line.add("progress", written_).finish();
  (void)!::write(STDOUT_FILENO, text.data(), text.size());
  told_ = written_;
}

}  // namespace teu::pack
