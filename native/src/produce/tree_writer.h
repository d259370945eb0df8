#pragma once

#include "produce/member_writer.h"
#include "produce/options.h"

namespace teu::produce {

/// Walks the trees and writes the members of the tar and its end. `old` was never opened if the
/// whole of `changed` is to be written.
Outcome writeDifferences(trees::Position& old, trees::Position& changed, const Options& options,
                         MemberWriter& writer);

}  // namespace teu::produce
