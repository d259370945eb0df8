import { makeEvent } from '@teu/events';
import { CgroupAction, type CgroupEvent } from '@teu/proto/event';
import type { CgroupParts } from '../cgroup-parts.js';
import { keyOfGroup } from '../domain/group-path.js';
import { EventWindows, kindOf } from './event-windows.js';
import type { Journal } from './journal.js';
import { LatestValues } from './latest-values.js';
import { eventAbout } from './subject.js';
import type { ToldCounts, ToldTable } from './told-table.js';
import { createWaitingTable, type WaitingTable } from './waiting-table.js';
import type { WatchedGroup, WatchedGroups } from './watched-groups.js';

type Parts = Pick<CgroupParts, 'node' | 'store' | 'tree' | 'names'>;

/** What announcements are made with. */
export interface AnnouncementOptions {
  readonly journal: Journal;
  readonly table: ToldTable;
  readonly groups: WatchedGroups;
  /** What happens often is told at most this often. */
  readonly windowMs: number;
  /** Hears of each event as it is recorded. */
  readonly onEvent: (event: CgroupEvent) => void;
}

const COUNTED: ReadonlyMap<string, keyof ToldCounts> = new Map([
  ['pids.max', 'pidsMax'],
  ['memory.max', 'memoryMax'],
  ['memory.high', 'memoryHigh'],
]);

/** What no counter tells again: it is written while it waits. */
const UNCOUNTED: ReadonlySet<CgroupAction> = new Set([
  CgroupAction.CGROUP_ACTION_THROTTLED,
  CgroupAction.CGROUP_ACTION_PRESSURE,
]);

/**
 * Tells events. With each it is written, in one transaction, what has been told of its group: an event that waits for
 * the end of a window when the service ends is told by the next one. What the kernel does not count is written while it
 * waits.
 */
export class Announcements {
  readonly #parts: Parts;
  readonly #options: AnnouncementOptions;
  readonly #windows: EventWindows;
  readonly #waitingTable: WaitingTable;
  readonly #waiting: LatestValues<CgroupEvent>;
  /** Kinds of which an event is in the table, or on its way there. */
  readonly #kept = new Set<string>();

  constructor(parts: Parts, options: AnnouncementOptions) {
    this.#parts = parts;
    this.#options = options;
    const { journal, windowMs } = options;
    this.#waitingTable = createWaitingTable(parts.store);
    this.#waiting = new LatestValues(journal, (kind, event) => this.#waitingTable.set(kind, event));
    this.#windows = new EventWindows(
      (event) => this.tell(event),
      windowMs,
      (kind, event) => this.#keepWaiting(kind, event),
    );
  }

  /** Tells what waited when the last run of the service ended. */
  resume(): void {
    for (const { kind, event } of this.#waitingTable.list()) {
      this.#kept.add(kind);
      this.offer(event);
    }
  }

  /** Takes an event. It is told at once, or together with others of its kind. */
  offer(event: CgroupEvent): void {
    this.#windows.offer(event);
  }

  /** Tells an event at once. */
  tell(value: CgroupEvent): void {
    const { node, store } = this.#parts;
    const { journal, groups, onEvent } = this.#options;
    const event = makeEvent({ node, source: 'cgroup', payload: { $case: 'cgroup', value } });
    journal.together(() => {
      journal.write(() => store.outbox.append(event), { done: () => onEvent(value) });
      this.#forgetWaiting(kindOf(value));
      const group = groups.get(value.containerId || keyOfGroup(value.group));
      if (group !== undefined && countAsTold(group.told, value)) this.keep(group);
    });
  }

  /** Writes what was told of a group. */
  keep({ id, inode, told }: WatchedGroup): void {
    const counts = { ...told };
    this.#options.journal.write(() => this.#options.table.set(id, inode, counts));
  }

  /** Tells what waits of a group, because it is gone, and forgets what was told of it. */
  release({ id, told }: WatchedGroup): void {
    this.#windows.flush(eventAbout(this.#parts, id, {}));
    if (Object.values(told).every((count) => count === 0)) return;
    const { journal, table } = this.#options;
    journal.write(() => table.delete(id), { durable: false });
  }

  /** Tells all that waits. */
  flush(): void {
    this.#windows.flush();
  }

  #keepWaiting(kind: string, event: CgroupEvent): void {
    if (!UNCOUNTED.has(event.action)) return;
    this.#kept.add(kind);
    this.#waiting.set(kind, event);
  }

  #forgetWaiting(kind: string): void {
    if (!this.#kept.delete(kind)) return;
    this.#waiting.forget(kind);
    this.#options.journal.write(() => this.#waitingTable.delete(kind));
  }
}

/** @returns Whether the event is about something that is counted. */
function countAsTold(told: ToldCounts, { action, limit, count }: CgroupEvent): boolean {
  if (action === CgroupAction.CGROUP_ACTION_OOM_KILLED) {
    told.oomWaiting = Math.max(told.oomWaiting - count, 0);
    return true;
  }
  const counted = COUNTED.get(limit);
  if (counted === undefined) return false;
  told[counted] += count;
  return true;
}
