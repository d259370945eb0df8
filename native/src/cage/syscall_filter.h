#pragma once

#include <span>

#include "layer/failure.h"

namespace teu::cage {

using layer::Outcome;

/// Allows from now on, in all threads, only these system calls; others fail with EPERM.
Outcome allowOnly(std::span<const unsigned> numbers);

}  // namespace teu::cage
