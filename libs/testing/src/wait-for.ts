import { setTimeout as delay } from 'node:timers/promises';
import { patient } from './patience.js';

/** How long `waitFor` waits. */
export interface WaitOptions {
  /** Milliseconds until it gives up; 10 000 if not given. */
  timeoutMs?: number;
  /** Milliseconds between two looks; 20 if not given. */
  intervalMs?: number;
  /** What was waited for, for the error. */
  what?: string;
}

/**
 * Waits until a condition holds, and gives what it gave. Falsy values and errors both mean "not
 * yet"; the last error is the cause of the one that is thrown at the deadline.
 */
export async function waitFor<T>(
  probe: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, false | undefined | null>> {
  const { timeoutMs = 10_000, intervalMs = 20, what = probe.toString() } = options;
  const deadline = performance.now() + patient(timeoutMs);
  for (;;) {
    let cause: unknown;
    try {
      const result = await probe();
      if (result !== false && result !== undefined && result !== null) {
        return result as Exclude<T, false | undefined | null>;
      }
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`not within ${patient(timeoutMs)} ms: ${what}`, { cause });
    }
    await delay(intervalMs);
  }
}
