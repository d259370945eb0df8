import { setTimeout as delay } from 'node:timers/promises';
import { CgroupAction } from '@teu/proto/event';
import { OomKill } from '@teu/proto/type';
import type { CgroupParts } from '../cgroup-parts.js';
import { isGroupKey, keyOfGroup } from '../domain/group-path.js';
import { parseKeyed } from '../domain/keyed-file.js';
import { readIfThere } from '../tree/group-files.js';
import type { Announcements } from './announcements.js';
import type { Journal } from './journal.js';
import type { Kills } from './kills.js';
import { locateKill, type LocatedKill } from './oom-kill.js';
import { eventAbout } from './subject.js';
import type { OomReport } from './told.js';
import type { WatchedGroup, WatchedGroups } from './watched-groups.js';
import type { WatchProgram } from './watch-program.js';

/** What kills are settled with. */
export interface KillAccountParts extends Pick<CgroupParts, 'log' | 'tree' | 'names'> {
  readonly kills: Kills;
  readonly groups: WatchedGroups;
  readonly journal: Journal;
  readonly announcements: Announcements;
  readonly program: () => Pick<WatchProgram, 'request'>;
}

/** The report of a kill comes within this time after it was counted; then it is asked for. */
const REPORT_TIME_MS = 500;
/** The log is read to its end in so many turns, each of which takes at most so long. */
const SYNC_TIME_MS = 500;
const SYNC_PAUSES_MS = [0, 5, 20];
/** Containers that are gone of which it is remembered that kills were told without a cause. */
const DEPARTED_MAX = 1000;

/**
 * Settles the kills that groups count with those that the kernel's log tells of. A kill is counted before the log has
 * it: a report of which there is no count is one of an earlier group with the same name.
 */
export class KillAccounts {
  readonly #parts: KillAccountParts;
  readonly #departed = new Map<string, number>();
  /** Whether the kernel's log can be read. */
  readsKernelLog = true;

  constructor(parts: KillAccountParts) {
    this.#parts = parts;
  }

  /** Takes note that a container's group was made. */
  begun(id: string): void {
    this.#departed.delete(id);
    this.#parts.kills.begun(id);
  }

  /** Takes a report of the kernel's log. */
  report(report: OomReport): void {
    const { kills, tree, log, groups } = this.#parts;
    if (report.sequence <= (kills.position ?? 0)) return;
    const located = locateKill(report, tree.groupPath);
    if (located === undefined) return;
    const { place, kill } = located;
    const group = groups.get(place.containerId || keyOfGroup(place.group));
    const verdict = group === undefined ? 'new' : this.#verdictOn(group, located);
    log.info(
      { container_id: place.containerId, pid: kill.pid, scope: kill.scope, verdict },
      'the kernel killed a process for want of memory',
    );
    if (group === undefined) this.#recordDeparted(report.sequence, located);
    else if (verdict === 'new') this.#record(group, report.sequence, located);
    else if (verdict === 'earlier') kills.passed(report.sequence);
    else {
      group.givenUpKills -= 1;
      kills.record(place.containerId, report.sequence, kill);
    }
  }

  /** Takes note that a group has counted kills, of which the reports are still to come. */
  counted(group: WatchedGroup): void {
    // What is killed in groups of containers is told of the containers.
    if (group.counts.oomKill <= group.told.oomKill || isGroupKey(group.id)) return;
    const wait = this.readsKernelLog ? REPORT_TIME_MS : 0;
    group.explaining ??= setTimeout(() => void this.#explain(group), wait).unref();
  }

  /** Waits until reports of as many kills as were counted have come, or could have. */
  async settle(id: string, counted: number): Promise<void> {
    const isHeard = await this.#hearOut(() => this.#explained(id) >= counted);
    const group = this.#parts.groups.get(id);
    // With nobody who reads the log they are settled when it is read again.
    if (isHeard && group !== undefined) this.#giveUp(group, counted);
  }

  /** Settles a container's group that is gone: a report that comes now is too late. */
  depart(group: WatchedGroup, counted: number): void {
    this.#giveUp(group, counted);
    if (group.givenUpKills > 0) this.#setDeparted(group.id, group.givenUpKills);
  }

  /** Tells, once, of kills that are known and of which the events still waited when the service ended. */
  tellWaiting(group: WatchedGroup): void {
    const count = group.waitingKills;
    if (count === 0) return;
    group.waitingKills = 0;
    const [oomKill = OomKill.create({ containerId: group.id })] = this.#parts.kills.of(group.id);
    this.#offer(group.id, count, oomKill);
  }

  /** Whether a report is of a kill that was not known, of one told without a cause, or of an earlier group. */
  #verdictOn(group: WatchedGroup, { place, kill }: LocatedKill): 'new' | 'late' | 'earlier' {
    if (!this.#isCounted(place))
      return (kill.killTime?.getTime() ?? 0) < group.madeTime ? 'earlier' : 'new';
    const known = group.isLeaving ? group.counts.oomKill : undefined;
    const counted = this.#countNow(group.id) ?? known;
    if (counted === undefined || counted > group.told.oomKill) return 'new';
    return group.givenUpKills > 0 ? 'late' : 'earlier';
  }

  #record(group: WatchedGroup, sequence: number, { place, kill }: LocatedKill): void {
    const { kills, journal, announcements } = this.#parts;
    journal.together(() => {
      kills.record(place.containerId, sequence, kill);
      if (this.#isCounted(place)) group.told.oomKill += 1;
      group.told.oomWaiting += 1;
      announcements.keep(group);
      this.#offer(group.id, 1, kill, place.group);
    });
  }

  #recordDeparted(sequence: number, { place, kill }: LocatedKill): void {
    const { kills, journal, announcements } = this.#parts;
    const { containerId: id } = place;
    const givenUp = this.#departed.get(id) ?? 0;
    journal.together(() => {
      kills.record(id, sequence, kill);
      if (givenUp > 0) this.#setDeparted(id, givenUp - 1);
      else announcements.tell(this.#event(id || keyOfGroup(place.group), 1, kill, place.group));
    });
    kills.forgetLater(id);
  }

  /** Reads the log to its end before kills are told without a cause; in vain if nobody reads it just now. */
  async #explain(group: WatchedGroup): Promise<void> {
    const isSettled = (): boolean => group.told.oomKill >= group.counts.oomKill;
    const isHeard = await this.#hearOut(isSettled);
    group.explaining = undefined;
    if (!this.#parts.groups.has(group)) return;
    if (isHeard) this.#giveUp(group, group.counts.oomKill);
    else this.counted(group);
  }

  /** Tells of kills that were counted and of which the kernel wrote no report, or none that could be read. */
  #giveUp(group: WatchedGroup, counted: number): void {
    clearTimeout(group.explaining);
    group.explaining = undefined;
    const count = counted - group.told.oomKill;
    if (count <= 0 || isGroupKey(group.id)) return;
    group.givenUpKills += count;
    group.told.oomKill += count;
    group.told.oomWaiting += count;
    this.#parts.journal.together(() => {
      this.#parts.announcements.keep(group);
      this.#offer(group.id, count, OomKill.create({ containerId: group.id }));
    });
  }

  /** @returns Whether the log was read to its end, as far as that was needed. */
  async #hearOut(isEnough: () => boolean): Promise<boolean> {
    let isHeard = true;
    for (const pauseMs of SYNC_PAUSES_MS) {
      if (!this.readsKernelLog || isEnough()) return true;
      if (pauseMs > 0) await delay(pauseMs);
      const answer = await Promise.race([
        this.#parts.program().request('sync'),
        delay(SYNC_TIME_MS, undefined, { ref: false }),
      ]);
      isHeard = answer !== undefined;
    }
    return isHeard || !this.readsKernelLog || isEnough();
  }

  #offer(id: string, count: number, oomKill: OomKill, group?: string): void {
    this.#parts.announcements.offer(this.#event(id, count, oomKill, group));
  }

  #event(
    id: string,
    count: number,
    oomKill: OomKill,
    group?: string,
  ): ReturnType<typeof eventAbout> {
    const action = CgroupAction.CGROUP_ACTION_OOM_KILLED;
    const place = group === undefined ? {} : { group };
    return eventAbout(this.#parts, id, { action, count, oomKill, ...place });
  }

  #setDeparted(id: string, givenUp: number): void {
    this.#departed.delete(id);
    if (givenUp > 0) this.#departed.set(id, givenUp);
    const [oldest] = this.#departed.keys();
    if (this.#departed.size > DEPARTED_MAX && oldest !== undefined) this.#departed.delete(oldest);
  }

  #explained(id: string): number {
    return this.#parts.groups.get(id)?.told.oomKill ?? this.#parts.kills.of(id).length;
  }

  /** On version 1 a container does not count what is killed in groups that it has made. */
  #isCounted(place: LocatedKill['place']): boolean {
    if (place.containerId === '') return false;
    const version = this.#parts.tree.groupOf('memory', place.containerId)?.version;
    return place.nested === '' || version === 2;
  }

  /** Kills in a container as its group counts them now; undefined if that cannot be read (before Linux 4.13). */
  #countNow(id: string): number | undefined {
    const group = this.#parts.tree.groupOf('memory', id);
    if (group === undefined) return undefined;
    const file = group.version === 1 ? 'memory.oom_control' : 'memory.events';
    const text = readIfThere(`${group.path}/${file}`);
    if (text === undefined) return undefined;
    return parseKeyed(text).get('oom_kill');
  }
}
