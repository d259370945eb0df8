import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CpuStats } from '@teu/proto/cgroup';
import { CgroupAction, type CgroupEvent } from '@teu/proto/event';
import type { CgroupParts } from '../cgroup-parts.js';
import { parseKeyed } from '../domain/keyed-file.js';
import { durationOf } from '../domain/stats.js';
import { readIfThere } from '../tree/group-files.js';
import type { Journal } from './journal.js';
import { LatestValues } from './latest-values.js';
import { createPeriodsTable, type Look, type Periods, type PeriodsTable } from './periods-table.js';
import { eventAbout } from './subject.js';

type Parts = Pick<CgroupParts, 'tree' | 'names' | 'store'>;

export interface ThrottleOptions {
  /** Share of periods, above 0 to 1, from which on it is told; 0 for never. */
  readonly share: number;
  readonly intervalMs: number;
  readonly journal: Journal;
  readonly emit: (event: CgroupEvent) => void;
}

/** A group that has a quota, or had one. */
interface Looked {
  readonly inode: string;
  /** Up to its last look. */
  periods: Periods;
  hasQuota: boolean;
  /** Whether the table has it. */
  isKept: boolean;
}

/** Fewer periods say nothing; with the usual length this is half a second in which something ran. */
const PERIODS_MIN = 5;
/** Groups that are read in one turn, so that a request in between need not wait. */
const GROUPS_AT_ONCE = 50;
const NOTHING: Periods = { count: 0, throttled: 0, waitedNs: 0 };

/**
 * Looks from time to time whether groups with a quota of processor time wait for it: the kernel counts that, but does
 * not tell. Groups without a quota cost nothing, and without any there is no timer. With what a look leads to it is
 * written up to where it was: the next run of the service goes on there.
 */
export class ThrottleSampler {
  readonly #parts: Parts;
  readonly #options: ThrottleOptions;
  readonly #table: PeriodsTable;
  readonly #looks: LatestValues<Look>;
  readonly #groups = new Map<string, Looked>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: Parts, options: ThrottleOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#table = createPeriodsTable(parts.store);
    this.#looks = new LatestValues(options.journal, (id, look) => this.#table.set(id, look));
  }

  /** Takes the groups of an earlier time over: of each it is told what happened since its last look. */
  adopt(groups: readonly { id: string; inode: string }[]): void {
    const { share, journal } = this.#options;
    const isUnsure = this.#table.isUnsure();
    const gone = new Set(this.#table.ids());
    journal.together(() => {
      if (share > 0) {
        for (const group of groups) if (this.#adopt(group, isUnsure)) gone.delete(group.id);
      }
      for (const id of gone) journal.write(() => this.#table.delete(id), { durable: false });
      // What happens while nobody is to be told is not told later.
      const isUnsureNow = share === 0;
      if (isUnsureNow !== isUnsure) journal.write(() => this.#table.setUnsure(isUnsureNow));
    });
  }

  /** Looks at a group from now on, if it has a quota, and no longer if it has none. */
  add({ id, inode }: { id: string; inode: string }): void {
    if (this.#options.share === 0) return;
    const known = this.#groups.get(id);
    if (!this.#hasQuota(id)) {
      if (known?.hasQuota === true) this.#options.journal.together(() => this.#look(id));
      if (known !== undefined) known.hasQuota = false;
      return;
    }
    const looked = known ?? { inode, periods: NOTHING, hasQuota: true, isKept: false };
    looked.hasQuota = true;
    this.#groups.set(id, looked);
    this.#arm();
  }

  /** Tells of the time since the last look, because the group goes. */
  leave(id: string, cpu?: CpuStats): void {
    const looked = this.#groups.get(id);
    if (looked === undefined || cpu === undefined) return;
    this.#options.journal.together(() => this.#advance(id, looked, periodsOf(cpu)));
    looked.hasQuota = false;
  }

  /** Forgets a group that is gone. */
  remove(id: string): void {
    const looked = this.#groups.get(id);
    if (looked === undefined) return;
    this.#groups.delete(id);
    this.#looks.forget(id);
    if (looked.isKept)
      this.#options.journal.write(() => this.#table.delete(id), { durable: false });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#groups.clear();
  }

  /** @returns Whether the table has it from now on. */
  #adopt({ id, inode }: { id: string; inode: string }, isUnsure: boolean): boolean {
    const known = this.#table.get(id, inode);
    const periods = known ?? (isUnsure ? this.#read(id) : undefined);
    if (periods === undefined || periods.count === 0) return false;
    const looked = { inode, periods, hasQuota: false, isKept: true };
    this.#groups.set(id, looked);
    if (known === undefined) this.#looks.set(id, { inode, periods });
    return true;
  }

  #arm(): void {
    if (this.#timer !== undefined || ![...this.#groups.values()].some((group) => group.hasQuota))
      return;
    this.#timer = setTimeout(() => void this.#sample(), this.#options.intervalMs).unref();
  }

  async #sample(): Promise<void> {
    const ids = [...this.#groups.keys()];
    for (let at = 0; at < ids.length; at += GROUPS_AT_ONCE) {
      if (at > 0) await nextTurn();
      this.#options.journal.together(() => {
        for (const id of ids.slice(at, at + GROUPS_AT_ONCE)) this.#look(id);
      });
    }
    this.#timer = undefined;
    this.#arm();
  }

  /** Until there are enough periods, they are counted together. */
  #look(id: string): void {
    const looked = this.#groups.get(id);
    if (looked?.hasQuota !== true) return;
    const now = this.#read(id);
    if (now === undefined || now.count - looked.periods.count < PERIODS_MIN) return;
    this.#advance(id, looked, now);
  }

  #advance(id: string, looked: Looked, now: Periods): void {
    const before = looked.periods;
    if (now.count <= before.count) return;
    looked.periods = now;
    looked.isKept = true;
    this.#looks.set(id, { inode: looked.inode, periods: now });
    this.#compare(id, before, now);
  }

  #hasQuota(id: string): boolean {
    const group = this.#parts.tree.groupOf('cpu', id);
    const file = group?.version === 1 ? 'cpu.cfs_quota_us' : 'cpu.max';
    const quota = group === undefined ? undefined : readIfThere(`${group.path}/${file}`);
    return quota !== undefined && !/^(-1|max)\b/.test(quota);
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
    this.#options.emit(
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
