import type { Counts } from './told.js';
import type { ToldCounts } from './told-table.js';

/** A group that is watched: that of a container, or one of containers. */
export interface WatchedGroup {
  /** What the watcher calls it. */
  readonly number: number;
  /** Id of the container, or directory of the group, as CgroupTree takes both. */
  readonly id: string;
  /** Of its directory: one that was made again is another group. */
  readonly inode: string;
  /** When this service saw it made, in milliseconds since 1970; 0 for one that was there before. */
  readonly madeTime: number;
  /** Counters up to which there are events, told or waiting for the end of a window. */
  counts: Counts;
  /** Counters up to which events were told. */
  readonly told: ToldCounts;
  /** Kills that an earlier run of the service knew and had not told, until they are. */
  waitingKills: number;
  /** Whether the watcher has watched it before, so that memory at its limit is no news. */
  isAgain: boolean;
  /** Kills that were told without a cause, because no report had come. */
  givenUpKills: number;
  /** Whether the kernel was asked to tell of its waiting, which takes long to end. */
  tellsPressure: boolean;
  settling: NodeJS.Timeout | undefined;
  explaining: NodeJS.Timeout | undefined;
  /** Whether it is being removed by this service. */
  isLeaving: boolean;
}

/** What is known of a group when its watch begins. */
export type Beginning = Pick<WatchedGroup, 'id' | 'inode' | 'madeTime' | 'told'>;

/** The groups that are watched, by both of their names. */
export class WatchedGroups {
  readonly #byId = new Map<string, WatchedGroup>();
  readonly #byNumber = new Map<number, WatchedGroup>();
  #lastNumber = 0;

  add(beginning: Beginning): WatchedGroup {
    const { pidsMax, memoryMax, memoryHigh, oomKill, oomWaiting } = beginning.told;
    const group: WatchedGroup = {
      ...beginning,
      number: ++this.#lastNumber,
      counts: { pidsMax, memoryMax, memoryHigh, oomKill },
      waitingKills: oomWaiting,
      isAgain: memoryMax > 0,
      givenUpKills: 0,
      tellsPressure: false,
      settling: undefined,
      explaining: undefined,
      isLeaving: false,
    };
    this.#byId.set(group.id, group);
    this.#byNumber.set(group.number, group);
    return group;
  }

  get(id: string): WatchedGroup | undefined {
    return this.#byId.get(id);
  }

  ofNumber(number: number): WatchedGroup | undefined {
    return this.#byNumber.get(number);
  }

  /** Whether it is still this one that is watched. */
  has(group: WatchedGroup): boolean {
    return this.#byNumber.has(group.number);
  }

  all(): WatchedGroup[] {
    return [...this.#byId.values()];
  }

  remove(group: WatchedGroup): void {
    clearTimeout(group.explaining);
    clearTimeout(group.settling);
    this.#byNumber.delete(group.number);
    if (this.#byId.get(group.id) === group) this.#byId.delete(group.id);
  }
}
