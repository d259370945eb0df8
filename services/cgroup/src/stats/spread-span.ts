const STEPS = 20;

/**
 * Spans of time between two bounds, another one for each who asks: so that what many do again and again they do not all
 * do at the same moment.
 */
export class SpreadSpan {
  readonly #leastMs: number;
  readonly #stepMs: number;
  #count = 0;

  constructor(leastMs: number, mostMs: number) {
    this.#leastMs = leastMs;
    this.#stepMs = (mostMs - leastMs) / (STEPS - 1);
  }

  /** Milliseconds. */
  next(): number {
    this.#count = (this.#count + 1) % STEPS;
    return this.#leastMs + this.#count * this.#stepMs;
  }
}
