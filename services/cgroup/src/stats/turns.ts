import { setImmediate } from 'node:timers/promises';

/** How long work may keep the event loop before others have a turn. */
const TURN_MS = 5;

/**
 * Shares the event loop: work in many small steps is done a few milliseconds at a time, whoever does it. What else
 * the process has to do comes between two turns.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #busyMs = 0;

  /** How long work has kept the event loop so far. */
  get busyMs(): number {
    return this.#busyMs;
  }

  /** Does one step after the other until all are done or `signal` is aborted. A step that throws ends it. */
  async run(count: number, step: (index: number) => void, signal?: AbortSignal): Promise<void> {
    const isOver = (): boolean => index >= count || signal?.aborted === true;
    let index = 0;
    while (!isOver()) {
      await this.#turn();
      const begin = performance.now();
      try {
        do step(index++);
        while (!isOver() && performance.now() < begin + TURN_MS);
      } finally {
        this.#busyMs += performance.now() - begin;
      }
    }
  }

  /** Resolves when it is the caller's turn: one a round of the event loop. */
  #turn(): Promise<unknown> {
    this.#last = this.#last.then(() => setImmediate());
    return this.#last;
  }
}
