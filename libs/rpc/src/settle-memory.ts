import { releaseUnusedMemory } from '@teu/native/memory';

/** A start is over when the first calls are through too; they load what is loaded lazily. */
const SETTLE_AFTER_MS = 2000;

/**
 * Some time after the start, gives back the memory that only the start needed; see
 * releaseUnusedMemory. With `node --expose-gc` the heap is collected first. Keeps no process alive.
 */
export function settleMemoryLater(): void {
  setTimeout(() => {
    globalThis.gc?.({ type: 'major', execution: 'sync' });
    try {
      releaseUnusedMemory();
    } catch {
      // A process that is bigger than it could be works all the same.
    }
  }, SETTLE_AFTER_MS).unref();
}
