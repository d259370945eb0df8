import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

const FIRST_MS = 50;
const LONGEST_MS = 10_000;

/** Waits longer after each failure, with jitter, until a success. */
export interface BackOff {
  /** Waits after a failure; ends early, without error, when the signal fires. */
  wait(signal: AbortSignal): Promise<void>;
  /** Starts over, after a success. */
  reset(): void;
}

/** Makes a back-off of 50 ms, doubled up to 10 s, each shortened by up to a quarter. */
export function createBackOff(): BackOff {
  let next = FIRST_MS;
  return {
    wait: async (signal) => {
      const ms = next - randomInt(Math.ceil(next / 4));
      next = Math.min(next * 2, LONGEST_MS);
      try {
        // Unreferenced: an unreachable NATS must not keep a process alive that wants to end.
        await delay(ms, undefined, { signal, ref: false });
      } catch {
        // Only the signal ends a delay early.
      }
    },
    reset: () => {
      next = FIRST_MS;
    },
  };
}
