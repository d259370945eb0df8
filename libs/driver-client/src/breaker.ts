/** How long nobody asks a peer that gave no answer. */
export const REST_MS = 2_000;
/** How long one call may be the only one that finds out whether the peer answers again. */
const PROBE_MS = 10_000;

/**
 * Keeps calls from piling up at a peer that takes them and does not answer. Closed until a call runs into its
 * deadline; then calls fail at once for a short while, after which one goes through to find out.
 */
export class Breaker {
  readonly #now: () => number;
  /** Time until which calls fail at once; 0 while all go through. */
  #restsUntil = 0;

  /** @param now milliseconds on a clock that only goes forward */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether the last that was heard of the peer is nothing. */
  get isOpen(): boolean {
    return this.#restsUntil !== 0;
  }

  /** How long calls still fail at once, in milliseconds; 0 if the next one goes through. */
  get restMs(): number {
    return this.isOpen ? Math.max(0, this.#restsUntil - this.#now()) : 0;
  }

  /** Whether a call may be made now. If it is the one that finds out, others wait for what it finds. */
  admit(): boolean {
    if (!this.isOpen) return true;
    if (this.restMs > 0) return false;
    this.#restsUntil = this.#now() + PROBE_MS;
    return true;
  }

  /** The peer has answered, well or not, or its end was seen: there is nothing to wait for. */
  close(): void {
    this.#restsUntil = 0;
  }

  /** A call ran into its deadline. */
  open(): void {
    this.#restsUntil = this.#now() + REST_MS;
  }
}
