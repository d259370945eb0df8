// Why a layer cannot be made, beside what layer/failure.h and tree/outcome.h name.
#pragma once

#include "layer/failure.h"
#include "tree/outcome.h"

namespace teu::produce {

using layer::Outcome;
using layer::refused;
using layer::sysFailure;
using tree::failureAt;

namespace code {
inline constexpr const char* kChanged = "CHANGED";         ///< it was written to while it was read
inline constexpr const char* kReserved = "RESERVED_NAME";  ///< no layer can have it
inline constexpr const char* kStopped = "STOPPED";         ///< another thread failed, and tells why
}  // namespace code

inline Outcome changedMeanwhile(const std::string& path) {
  return refused(code::kChanged, "it was written to while it was read").at(path, 0);
}

}  // namespace teu::produce
