import { setTimeout as delay } from 'node:timers/promises';

/** First pause between two looks, and the longest; it doubles. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;

/**
 * Looks at something until it is so. For what the kernel does by itself but does not tell about.
 *
 * @returns Whether it came to be so within the time.
 */
export async function waitUntil(isSo: () => boolean, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    if (isSo()) return true;
    if (performance.now() >= end) return false;
    await delay(pause);
  }
}
