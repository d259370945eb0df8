/** Does one step of taking something back: it may fail, and the others are still to be done. */
export function tryTo(step: () => void): void {
  try {
    step();
  } catch {
    // Told is what made it necessary.
  }
}
