import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

/** An end for what hangs, stretched as all limits of tests are. */
const LIMIT_MS = 30_000 * Number(process.env['TEU_TEST_PATIENCE'] ?? 1);
const INTERVAL_MS = 2;

/** Looks again and again until a condition holds. @throws Error with what was waited for if it never does */
export async function waitUntil(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await delay(INTERVAL_MS);
  }
}
