#pragma once

#include "layer/json_line.h"
#include "produce/failures.h"

namespace teu::produce {

/// For people who run teu-layer by hand.
extern const char* const kUsageText;

/// Carries out "teu-layer produce ..."; `line` receives what is known of the tar.
Outcome runProduce(int count, char** arguments, layer::JsonLine& line);

}  // namespace teu::produce
