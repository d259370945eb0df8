import { setTimeout as delay } from 'node:timers/promises';

/** After a start its program often ends at once, and that is to be recorded without delay too. */
const QUIET_MS = 15;
const STEP_MS = 5;

/** Tells whether starts are under way, for work that can as well be done between them. */
export class StartActivity {
  #underWay = 0;
  #lastEnd = -Infinity;

  /** Runs a start. */
  async during<T>(start: () => Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      return await start();
    } finally {
      this.#underWay -= 1;
      this.#lastEnd = performance.now();
    }
  }

  /** Waits until no start is under way, but not longer than this. */
  async whenQuiet(limitMs: number): Promise<void> {
    const end = performance.now() + limitMs;
    while (!this.#isQuiet() && performance.now() < end) await delay(STEP_MS);
  }

  #isQuiet(): boolean {
    return this.#underWay === 0 && performance.now() - this.#lastEnd >= QUIET_MS;
  }
}
