import type { Stats } from '@teu/proto/cgroup';
import { NO_COUNTS, type Counts } from './told.js';

/**
 * Up to where there are events after a look at the counters.
 *
 * @param reached - Whether memory was at its limit, uncounted; that is not told again at the end.
 */
export function countsAfter(before: Counts, now: Counts, reached: boolean): Counts {
  const isUncounted = reached && now.memoryMax <= before.memoryMax;
  return {
    pidsMax: Math.max(before.pidsMax, now.pidsMax),
    memoryMax: Math.max(before.memoryMax + (isUncounted ? 1 : 0), now.memoryMax),
    memoryHigh: Math.max(before.memoryHigh, now.memoryHigh),
    oomKill: Math.max(before.oomKill, now.oomKill),
  };
}

/** The counters at the end; where the last figures say less than was told, that. */
export function finalCounts({ pids, memory }: Stats, before = NO_COUNTS): Counts {
  return {
    pidsMax: Math.max(before.pidsMax, pids?.limitHitCount ?? 0),
    memoryMax: Math.max(before.memoryMax, memory?.limitHitCount ?? 0),
    memoryHigh: Math.max(before.memoryHigh, memory?.highHitCount ?? 0),
    oomKill: Math.max(before.oomKill, memory?.oomKillCount ?? 0),
  };
}
