// What teu-graft uses of the trees that it walks.
#pragma once

#include "trees/difference.h"
#include "trees/position.h"
#include "trees/walk.h"

namespace teu::graft {

using trees::Difference;
using trees::failureAt;
using trees::findDifference;
using trees::Kind;
using trees::Outcome;
using trees::Pair;
using trees::Position;
using trees::readEntry;
using trees::Visitor;
using trees::walkBoth;

}  // namespace teu::graft
