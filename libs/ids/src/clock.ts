import { performance } from 'node:perf_hooks';

/** Where the time comes from; injected so that tests can set it. */
export interface Clock {
  /** Wall time. */
  now(): Date;
  /** Milliseconds since an arbitrary start, never going back; for measuring. */
  monotonicMs(): number;
}

/** The machine's clock. */
export const clock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
};
