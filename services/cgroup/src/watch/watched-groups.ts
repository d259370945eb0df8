import type { Counts } from './told.js';

/** A group that is watched: that of a container, or one of containers. */
export interface WatchedGroup {
  /** What the watcher calls it. */
  readonly number: number;
  /** Id of the container, or directory of the group, as CgroupTree takes both. */
  readonly id: string;
  /** What was told of its limits; undefined until it is known what happened before this service began. */
  counts: Counts | undefined;
  /** Whether the watcher has watched it before, so that what it says first is no news. */
  isAgain: boolean;
  /** Kills of those counted that were reported, or that nothing more will be known of. */
  explainedKills: number;
  /** Whether the kernel was asked to tell of its waiting, which takes long to end. */
  tellsPressure: boolean;
  settling: NodeJS.Timeout | undefined;
  explaining: NodeJS.Timeout | undefined;
  /** Whether it is being removed by this service. */
  isLeaving: boolean;
}

/** The groups that are watched, by both of their names. */
export class WatchedGroups {
  readonly #byId = new Map<string, WatchedGroup>();
  readonly #byNumber = new Map<number, WatchedGroup>();
  #lastNumber = 0;

  /** @param counts - What was told of its limits: nothing has happened in a new one. */
  add(id: string, counts: Counts | undefined): WatchedGroup {
    const group: WatchedGroup = {
      number: ++this.#lastNumber,
      id,
      counts,
      isAgain: false,
      explainedKills: 0,
      tellsPressure: false,
      settling: undefined,
      explaining: undefined,
      isLeaving: false,
    };
    this.#byId.set(id, group);
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
