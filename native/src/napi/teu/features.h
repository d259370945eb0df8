#pragma once

#include <stddef.h>

namespace teu {

struct Feature {
  const char* name;
  bool (*present)() noexcept;
};

/// What ts/features.ts lists, each with its probe. A probe changes nothing.
struct FeatureList {
  const Feature* data;
  size_t size;
};
FeatureList kernelFeatures() noexcept;

}  // namespace teu
