#include "tree/line_output.h"

#include <errno.h>
#include <unistd.h>

namespace teu::tree {
namespace {

constexpr std::size_t kGathered = 64 * 1024;

}  // namespace

void LineOutput::add(std::string_view line, bool print) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<const std::uint8_t*>(text.data());
  };
  hash_.update(bytes(line), line.size());
  hash_.update(bytes("\n"), 1);
  if (print) addUnhashed(line);
}

void LineOutput::addUnhashed(std::string_view line) {
  pending_ += line;
  pending_ += '\n';
  if (pending_.size() >= kGathered) (void)flush();
}

Outcome LineOutput::flush() {
  std::string_view rest = pending_;
  while (!rest.empty() && failed_ == 0) {
    const ssize_t written = write(STDOUT_FILENO, rest.data(), rest.size());
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR) failed_ = errno;
  }
  pending_.clear();
  return failed_ == 0 ? Outcome{} : sysFailure("write", "write the answer", failed_);
}

}  // namespace teu::tree
