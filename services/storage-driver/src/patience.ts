import { setTimeout as delay } from 'node:timers/promises';

/** A file system is busy for some milliseconds after its last file was closed or it was unmounted. */
const PATIENCE_MS = 5_000;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 200;

/**
 * Tries until it is done, for as long as it may take until a file system is busy no more.
 *
 * @param attempt - Returns whether it is done, or "progress" if not all of it is, but more than before.
 * @returns Whether it was done in time.
 */
export async function tryPatiently(
  attempt: () => Promise<boolean | 'progress'>,
  signal?: AbortSignal,
): Promise<boolean> {
  let deadline = performance.now() + PATIENCE_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const done = await attempt();
    if (done === true) return true;
    if (done === 'progress') {
      deadline = performance.now() + PATIENCE_MS;
      pauseMs = FIRST_PAUSE_MS;
    }
    if (performance.now() > deadline || signal?.aborted === true) return false;
    await delay(pauseMs);
  }
}
