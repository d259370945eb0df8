#pragma once

namespace teu::tree {

/// Lets everybody else have the processor and the disk first. That it cannot be had is no failure.
void yieldToOthers() noexcept;

}  // namespace teu::tree
