import type { LedgerClock } from './boot-clock.js';

/** What both clocks said at one time, in milliseconds. */
export interface Moment {
  readonly bootMs: number;
  readonly wallMs: number;
}

/** So far the wall clock may go another way in a while without having been set. */
const DRIFT_MS = 100;

export function momentNow(clock: LedgerClock): Moment {
  return { bootMs: clock.bootMs(), wallMs: clock.wallMs() };
}

/** What a time of the wall clock is on the clock of the boot, by what both say now; not later than now. */
export function bootMsOf(now: Moment, time: Date): number {
  return now.bootMs - Math.max(now.wallMs - time.getTime(), 0);
}

/**
 * What a time of the wall clock between two moments is on the clock of the boot. Whoever noted it did so before the clock was
 * set in between, or after that: one of the two lies between the moments. If both do, or neither, it is as the clocks say now,
 * but not before the first moment.
 */
export function momentBetween(before: Moment, now: Moment, time: Date): number {
  const byNow = now.bootMs - (now.wallMs - time.getTime());
  const byBefore = before.bootMs + (time.getTime() - before.wallMs);
  const wasSet = Math.abs(byBefore - byNow) > DRIFT_MS;
  if (!wasSet) return Math.min(byNow, now.bootMs);
  const isBetween = (bootMs: number) => bootMs >= before.bootMs && bootMs <= now.bootMs;
  if (!isBetween(byNow) && isBetween(byBefore)) return byBefore;
  return Math.min(Math.max(byNow, before.bootMs), now.bootMs);
}
