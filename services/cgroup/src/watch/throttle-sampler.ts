import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CpuStats } from '@teu/proto/cgroup';
import { CgroupAction, type CgroupEvent } from '@teu/proto/event';
import type { CgroupParts } from '../cgroup-parts.js';
import { parseKeyed } from '../domain/keyed-file.js';
import { durationOf } from '../domain/stats.js';
import { readIfThere } from '../tree/group-files.js';
import { eventAbout } from './subject.js';

type Parts = Pick<CgroupParts, 'tree' | 'names'>;

/** Periods of a quota so far. */
interface Periods {
  readonly count: number;
  readonly throttled: number;
  readonly waitedNs: number;
}

export interface ThrottleOptions {
  /** Share of periods, above 0 to 1, from which on it is told; 0 for never. */
  readonly share: number;
  readonly intervalMs: number;
}

/** Fewer periods say nothing; with the usual length this is half a second in which something ran. */
const PERIODS_MIN = 5;
/** Groups that are read in one turn, so that a request in between need not wait. */
const GROUPS_AT_ONCE = 50;
const NOTHING: Periods = { count: 0, throttled: 0, waitedNs: 0 };

/**
 * Looks from time to time whether groups with a quota of processor time wait for it: the kernel counts that, but does
 * not tell. Groups without a quota cost nothing, and without any there is no timer.
 */
export class ThrottleSampler {
  readonly #parts: Parts;
  readonly #options: ThrottleOptions;
  readonly #emit: (event: CgroupEvent) => void;
  readonly #groups = new Map<string, Periods>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: Parts, options: ThrottleOptions, emit: (event: CgroupEvent) => void) {
    this.#parts = parts;
    this.#options = options;
    this.#emit = emit;
  }

  /**
   * Looks at a group from now on, if it has a quota, and no longer if it has none.
   *
   * @param isNew - Whether all that it has waited for is news.
   */
  add(id: string, isNew: boolean): void {
    if (this.#options.share === 0) return;
    const group = this.#parts.tree.groupOf('cpu', id);
    const file = group?.version === 1 ? 'cpu.cfs_quota_us' : 'cpu.max';
    const quota = group === undefined ? undefined : readIfThere(`${group.path}/${file}`);
    if (quota === undefined || /^(-1|max)\b/.test(quota)) {
      this.#groups.delete(id);
      return;
    }
    if (!this.#groups.has(id))
      this.#groups.set(id, (isNew ? undefined : this.#read(id)) ?? NOTHING);
    this.#arm();
  }

  /** Tells of the time since the last look, and looks no more. */
  remove(id: string, cpu?: CpuStats): void {
    const before = this.#groups.get(id);
    if (before !== undefined && cpu !== undefined) this.#compare(id, before, periodsOf(cpu));
    this.#groups.delete(id);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#groups.clear();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#groups.size === 0) return;
    this.#timer = setTimeout(() => void this.#sample(), this.#options.intervalMs).unref();
  }

  async #sample(): Promise<void> {
    for (const [index, id] of [...this.#groups.keys()].entries()) {
      if (index % GROUPS_AT_ONCE === GROUPS_AT_ONCE - 1) await nextTurn();
      const before = this.#groups.get(id);
      const now = this.#read(id);
      if (before === undefined || now === undefined) continue;
      // Until there are enough, they are counted together.
      if (now.count - before.count < PERIODS_MIN) continue;
      this.#groups.set(id, now);
      this.#compare(id, before, now);
    }
    this.#timer = undefined;
    this.#arm();
  }

  #read(id: string): Periods | undefined {
    const group = this.#parts.tree.groupOf('cpu', id);
    const text = group && readIfThere(`${group.path}/cpu.stat`);
    if (text === undefined) return undefined;
    const stat = parseKeyed(text);
    return {
      count: stat.get('nr_periods') ?? 0,
      throttled: stat.get('nr_throttled') ?? 0,
      waitedNs: stat.get('throttled_time') ?? (stat.get('throttled_usec') ?? 0) * 1000,
    };
  }

  #compare(id: string, before: Periods, now: Periods): void {
    const periods = now.count - before.count;
    const throttled = now.throttled - before.throttled;
    if (periods < PERIODS_MIN || throttled / periods < this.#options.share) return;
    this.#emit(
      eventAbout(this.#parts, id, {
        action: CgroupAction.CGROUP_ACTION_THROTTLED,
        count: throttled,
        share: throttled / periods,
        waitedDuration: durationOf(now.waitedNs - before.waitedNs),
      }),
    );
  }
}

function periodsOf({ periodCount, throttledPeriodCount, throttledDuration }: CpuStats): Periods {
  const { seconds = 0, nanos = 0 } = throttledDuration ?? {};
  return {
    count: periodCount,
    throttled: throttledPeriodCount,
    waitedNs: seconds * 1_000_000_000 + nanos,
  };
}
