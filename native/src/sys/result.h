// Errors as values: which system call, which errno, at which step, on what object. No exceptions
// below src/napi.
#pragma once

#include <stddef.h>

namespace teu {

/// Strings point to literals or to memory that outlives the error (the plan, the path buffer of its
/// caller).
struct SysError {
  int number = 0;  ///< errno, positive; 0 = a rule of ours was broken, `syscall` names it
  const char* syscall = "";
  const char* step = "";
  const char* path = "";
};

/// Success or a SysError.
class [[nodiscard]] Status {
 public:
  constexpr Status() noexcept = default;
  constexpr Status(const SysError& error) noexcept : failed_(true), error_(error) {}

  explicit constexpr operator bool() const noexcept { return !failed_; }
  constexpr const SysError& error() const noexcept { return error_; }

  /// Names the object of a failure, unless a deeper place has done so already.
  constexpr Status on(const char* path) const noexcept {
    Status named = *this;
    if (failed_ && *named.error_.path == '\0') named.error_.path = path;
    return named;
  }

  /// Names the step of a failure, unless a deeper place has done so already.
  constexpr Status during(const char* step) const noexcept {
    Status named = *this;
    if (failed_ && *named.error_.step == '\0') named.error_.step = step;
    return named;
  }

 private:
  bool failed_ = false;
  SysError error_;
};

/// A value or a SysError.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T&& value) noexcept : value_(static_cast<T&&>(value)) {}
  Result(const SysError& error) noexcept : status_(error) {}
  Result(const Status& failure) noexcept : status_(failure) {}

  explicit operator bool() const noexcept { return static_cast<bool>(status_); }
  T& value() noexcept { return value_; }
  const SysError& error() const noexcept { return status_.error(); }
  const Status& status() const noexcept { return status_; }

 private:
  Status status_;
  T value_{};
};

/// The status of a system call that answers nothing else of interest.
inline Status statusOf(long answer, const char* syscall) noexcept {
  if (answer >= 0) return {};
  return SysError{.number = static_cast<int>(-answer), .syscall = syscall};
}

inline Status brokenRule(int number, const char* rule) noexcept {
  return SysError{.number = number, .syscall = rule};
}

}  // namespace teu
