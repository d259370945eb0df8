import type { LedgerClock } from '../ledger/boot-clock.js';

/** Clocks that stand still unless a test moves them. */
export class FakeLedgerClock implements LedgerClock {
  #bootMs: number;
  #wallMs: number;

  constructor({ bootMs = 5_000_000, wallMs = Date.UTC(2026, 0, 1) } = {}) {
    this.#bootMs = bootMs;
    this.#wallMs = wallMs;
  }

  bootMs(): number {
    return this.#bootMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  /** Now, as whoever looks at the clock notes it. */
  now(): Date {
    return new Date(this.#wallMs);
  }

  /** Time passes. */
  pass(ms: number): void {
    this.#bootMs += ms;
    this.#wallMs += ms;
  }

  /** Somebody sets the clock ahead, or back. */
  set(stepMs: number): void {
    this.#wallMs += stepMs;
  }
}
