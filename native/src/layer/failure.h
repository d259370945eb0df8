// What a layer is refused for, or what the kernel refused: a value that travels up to the one place
// that prints it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace teu::layer {

/// Stable names for programs; the service maps them to its error reasons.
namespace code {
inline constexpr const char* kUsage = "USAGE";
inline constexpr const char* kSyscall = "SYSCALL";
inline constexpr const char* kBadTar = "BAD_TAR";
inline constexpr const char* kBadCompression = "BAD_COMPRESSION";
inline constexpr const char* kBrokenOff = "BROKEN_OFF";
inline constexpr const char* kNeedsParent = "NEEDS_PARENT";
inline constexpr const char* kMediaType = "MEDIA_TYPE_MISMATCH";
inline constexpr const char* kTraversal = "PATH_TRAVERSAL";
inline constexpr const char* kLinkParent = "LINK_AS_PARENT";
inline constexpr const char* kNotDirectory = "PARENT_NOT_DIRECTORY";
inline constexpr const char* kHardLink = "BAD_HARD_LINK";
inline constexpr const char* kWhiteout = "MALFORMED_WHITEOUT";
inline constexpr const char* kAttribute = "RESERVED_ATTRIBUTE";
inline constexpr const char* kDevice = "RESERVED_DEVICE";
inline constexpr const char* kLimit = "LIMIT_EXCEEDED";
}  // namespace code

struct Failure {
  std::string code{};
  std::string message{};
  std::string step{};
  std::string entry{};       ///< name as the archive has it; empty if no entry is to blame
  int number = 0;            ///< errno, 0 if the kernel had no part in it
  std::uint64_t offset = 0;  ///< byte of the uncompressed tar at which the entry begins
};

/// Success, or a Failure.
class [[nodiscard]] Outcome {
 public:
  Outcome() noexcept = default;
  Outcome(Failure failure) : failure_(std::make_unique<Failure>(std::move(failure))) {}

  explicit operator bool() const noexcept { return failure_ == nullptr; }
  const Failure& failure() const noexcept { return *failure_; }

  /// Names the entry to blame, unless a deeper place has done so.
  Outcome at(std::string_view entry, std::uint64_t offset) && {
    if (failure_ && failure_->entry.empty()) {
      failure_->entry = entry;
      failure_->offset = offset;
    }
    return std::move(*this);
  }

 private:
  std::unique_ptr<Failure> failure_;
};

inline Outcome refused(const char* code, std::string message) {
  return Failure{.code = code, .message = std::move(message), .step = "check"};
}

/// A system call failed; `step` says what it was for.
inline Outcome sysFailure(const char* syscall, const char* step, int number) {
  return Failure{.code = code::kSyscall,
                 .message = std::string(syscall) + " failed",
                 .step = step,
                 .number = number};
}

}  // namespace teu::layer
