import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import { releaseUnusedMemory } from '@teu/native/memory';

const LOOK_EVERY_MS = 5000;
/** A process at rest still does a little, and each page of code that it touches brings its neighbours. */
const RELEASE_EVERY_LOOKS = 12;
/** Share of time that the event loop of a process at rest is busy at most. */
const REST_UTILIZATION = 0.005;

/**
 * From now on, whenever the process has come to rest after work (its start is work too), gives back
 * the memory that only the work needed; see releaseUnusedMemory. With `node --expose-gc` the heap is
 * collected first: ten milliseconds at a time when nobody waits. Keeps no process alive.
 */
export function settleMemoryAtRest(): void {
  let before: EventLoopUtilization = performance.eventLoopUtilization();
  let worked = true;
  let quietLooks = 0;
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > REST_UTILIZATION) {
      worked = true;
      return;
    }
    quietLooks += 1;
    if (worked) globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    if (worked || quietLooks % RELEASE_EVERY_LOOKS === 0) release();
    worked = false;
    before = performance.eventLoopUtilization();
  }, LOOK_EVERY_MS).unref();
}

function release(): void {
  try {
    releaseUnusedMemory();
  } catch {
    // A process that is bigger than it could be works all the same.
  }
}
