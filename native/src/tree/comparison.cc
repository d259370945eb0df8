#include "tree/comparison.h"
namespace teu::tree {
Outcome compareTree(const Options&) {
  return {};
}
}  // namespace teu::tree
