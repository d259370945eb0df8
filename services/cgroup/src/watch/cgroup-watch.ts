import { makeEvent } from '@teu/events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Stats } from '@teu/proto/cgroup';
import { CgroupAction, type CgroupEvent } from '@teu/proto/event';
import { OomKill } from '@teu/proto/type';
import type { CgroupParts } from '../cgroup-parts.js';
import { isGroupKey, keyOfGroup } from '../domain/group-path.js';
import { EventWindows } from './event-windows.js';
import { Journal } from './journal.js';
import { Kills } from './kills.js';
import { limitEvents } from './limit-events.js';
import { locateKill } from './oom-kill.js';
import { eventAbout } from './subject.js';
import { NO_COUNTS, type Counts, type OomReport, type Told } from './told.js';
import { ThrottleSampler } from './throttle-sampler.js';
import { WatchProgram } from './watch-program.js';
import type { WatchOptions } from './watch-options.js';
import { programArguments } from './watch-options.js';
import { WatchedGroups, type WatchedGroup } from './watched-groups.js';

type Parts = Pick<CgroupParts, 'log' | 'node' | 'store' | 'tree' | 'names'>;

/** A new group is watched after its start has been answered; one that is gone by then is not watched at all. */
const BEGIN_DELAY_MS = 25;
/** Only of one that has run this long the kernel is asked to tell of its waiting, because to end that costs it much. */
const PRESSURE_DELAY_MS = 2000;
/** That is waited for before the group is removed; removing it would hold up all others meanwhile. */
const UNWATCH_TIME_MS = 1000;
/** The report of a kill comes within this time after it was counted, or not at all. */
const REPORT_TIME_MS = 500;
/** An answer waits so long for the report of a kill that was counted, in so many turns. */
const SYNC_TIME_MS = 500;
const SYNC_PAUSES_MS = [0, 5, 20];

/**
 * Hears from the kernel what happens at the limits of groups, announces it, and remembers what was killed for want of
 * memory. Nothing waits for it: groups are watched soon after they were made, and with the watcher away (it is
 * started again) only notifications are late, for counters and the kernel's log tell what happened meanwhile.
 */
export class CgroupWatch {
  readonly #parts: Parts;
  readonly #onEvent: (event: CgroupEvent) => void;
  readonly #journal: Journal;
  readonly #kills: Kills;
  readonly #windows: EventWindows;
  readonly #throttling: ThrottleSampler;
  readonly #groups = new WatchedGroups();
  readonly #program: WatchProgram;
  readonly #beginning = new Set<WatchedGroup>();
  #beginTimer: NodeJS.Timeout | undefined;
  #readsKernelLog = true;

  /** @param onEvent - Hears of each event as it is recorded. */
  constructor(parts: Parts, options: WatchOptions, onEvent: (event: CgroupEvent) => void) {
    this.#parts = parts;
    this.#onEvent = onEvent;
    this.#journal = new Journal(parts);
    this.#kills = new Kills(parts.store, this.#journal);
    this.#windows = new EventWindows((event) => this.#announce(event));
    const { throttleShare: share, throttleIntervalMs: intervalMs } = options;
    this.#throttling = new ThrottleSampler(parts, { share, intervalMs }, (event) =>
      this.#windows.offer(event),
    );
    const { containers, groups } = parts.tree.inhabitants();
    for (const id of [...containers.keys(), ...groups]) this.#begin(this.#adopt(id));
    for (const id of this.#kills.containers()) if (!containers.has(id)) this.#kills.forgetLater(id);
    this.#program = new WatchProgram({
      log: parts.log,
      args: () => programArguments(parts.tree.host, options, this.#kills.position),
      onTold: (told) => this.#onTold(told),
      onRestart: () => this.#onRestart(),
    });
  }

  /** Process of the watcher, for tests; undefined while none runs. */
  get pid(): number | undefined {
    return this.#program.pid;
  }

  /** Takes note of a new group. */
  added(id: string): void {
    if (this.#groups.get(id) !== undefined) return;
    this.#kills.begun(id);
    this.#begin(this.#groups.add(id, NO_COUNTS));
  }

  /** Takes note that limits of a group may be others. */
  changed(id: string): void {
    const group = this.#groups.get(id);
    if (group !== undefined) this.#begin(group);
  }

  /**
   * Takes note that a container's group goes; while it is still there.
   *
   * @param stats - Its last figures, which may count what nobody was told of yet.
   */
  async leaving(id: string, stats: Stats): Promise<void> {
    const group = this.#groups.get(id);
    if (group === undefined) return;
    group.isLeaving = true;
    this.#beginning.delete(group);
    this.#onCounts(group, finalCounts(stats, group.counts), false);
    this.#throttling.remove(id, stats.cpu);
    const ended = this.#program.request('unwatch', group.number);
    if (group.tellsPressure) await Promise.race([ended, delay(UNWATCH_TIME_MS)]);
  }

  /** Takes note that a container's group is gone, and gives what was killed in it as settledKills does. */
  async left(id: string, counted: number): Promise<OomKill[]> {
    const kills = await this.settledKills(id, counted);
    const group = this.#groups.get(id);
    if (group !== undefined) this.#drop(group);
    return kills;
  }

  /** What the kernel killed in a container for want of memory, newest first, at most 10. */
  oomKills(id: string): readonly OomKill[] {
    return this.#kills.of(id);
  }

  /**
   * The same, after the reports of as many kills as were counted have come, or could have.
   *
   * @param counted - Kills in the container, as its group counts them.
   */
  async settledKills(id: string, counted: number): Promise<OomKill[]> {
    for (const pauseMs of SYNC_PAUSES_MS) {
      if (!this.#readsKernelLog || this.#explained(id) >= counted) break;
      if (pauseMs > 0) await delay(pauseMs);
      await Promise.race([
        this.#program.request('sync'),
        delay(SYNC_TIME_MS, undefined, { ref: false }),
      ]);
    }
    const group = this.#groups.get(id);
    if (group !== undefined) this.#giveUpExplaining(group, counted);
    const kills = this.#kills.of(id);
    if (kills.length === 0 && counted > 0) return [OomKill.create({ containerId: id })];
    return [...kills];
  }

  /** Ends; what waits to be told is told before. */
  async close(): Promise<void> {
    clearTimeout(this.#beginTimer);
    await this.#program.close();
    for (const group of this.#groups.all()) this.#groups.remove(group);
    this.#throttling.close();
    this.#windows.flush();
    this.#kills.close();
    this.#journal.close();
  }

  /** A group of an earlier time: what happened in it is not told again. */
  #adopt(id: string): WatchedGroup {
    const group = this.#groups.add(id, undefined);
    group.explainedKills = this.#kills.of(id).length;
    return group;
  }

  #begin(group: WatchedGroup): void {
    this.#beginning.add(group);
    this.#beginTimer ??= setTimeout(() => this.#beginAll(), BEGIN_DELAY_MS).unref();
  }

  #beginAll(): void {
    this.#beginTimer = undefined;
    const groups = [...this.#beginning];
    this.#beginning.clear();
    for (const group of groups) {
      if (!this.#groups.has(group)) continue;
      this.#throttling.add(group.id, group.counts !== undefined);
      void this.#program
        .request('watch', group.number, this.#parts.tree.pathOf(group.id))
        .then((answer) => {
          if (answer === undefined) return;
          group.counts ??= NO_COUNTS;
          group.isAgain = false;
          if (this.#groups.has(group)) this.#askForPressure(group);
        });
    }
  }

  /** Asks for word of waiting, unless the group is gone soon. */
  #askForPressure(group: WatchedGroup): void {
    if (group.tellsPressure || group.isLeaving) return;
    clearTimeout(group.settling);
    group.settling = setTimeout(() => {
      if (group.isLeaving) return;
      group.tellsPressure = true;
      void this.#program.request('pressure', group.number);
    }, PRESSURE_DELAY_MS).unref();
  }

  #onRestart(): void {
    for (const group of this.#groups.all()) {
      group.isAgain = true;
      group.tellsPressure = false;
      this.#begin(group);
    }
  }

  #drop(group: WatchedGroup): void {
    this.#groups.remove(group);
    this.#beginning.delete(group);
    this.#throttling.remove(group.id);
    if (isGroupKey(group.id)) return;
    this.#kills.forgetLater(group.id);
    this.#windows.flush(eventAbout(this.#parts, group.id, {}));
  }

  #onTold(told: Told): void {
    switch (told.kind) {
      case 'kmsg':
        this.#readsKernelLog = told.newest !== undefined;
        if (told.newest !== undefined) this.#kills.passed(told.newest);
        return;
      case 'counts': {
        const group = this.#groups.ofNumber(told.key);
        if (group !== undefined) this.#onCounts(group, told.counts, told.reached && !group.isAgain);
        return;
      }
      case 'pressure': {
        const group = this.#groups.ofNumber(told.key);
        if (group !== undefined) this.#onPressure(group, told.resource);
        return;
      }
      case 'gone': {
        const group = this.#groups.ofNumber(told.key);
        if (group?.isLeaving === false) this.#drop(group);
        return;
      }
      case 'oom':
        this.#onOom(told.report);
        return;
      case 'lost':
        this.#parts.log.info(
          { count: told.count },
          'records of the kernel log were overwritten unread',
        );
    }
  }

  #onCounts(group: WatchedGroup, counts: Counts, reached: boolean): void {
    const { counts: before } = group;
    group.counts = before === undefined ? counts : told(before, counts, reached);
    if (before === undefined) {
      group.explainedKills = Math.max(group.explainedKills, counts.oomKill);
      return;
    }
    const change = { before, now: counts, reached };
    for (const event of limitEvents(this.#parts, group.id, change)) this.#windows.offer(event);
    // What is killed in groups of containers is told of the containers.
    if (counts.oomKill <= group.explainedKills || isGroupKey(group.id)) return;
    const wait = this.#readsKernelLog ? REPORT_TIME_MS : 0;
    group.explaining ??= setTimeout(() => {
      this.#giveUpExplaining(group, group.counts?.oomKill ?? 0);
    }, wait).unref();
  }

  /** Tells of kills that were counted and of which the kernel wrote no report, or none that could be read. */
  #giveUpExplaining(group: WatchedGroup, counted: number): void {
    clearTimeout(group.explaining);
    group.explaining = undefined;
    const count = counted - group.explainedKills;
    if (count <= 0) return;
    group.explainedKills += count;
    const action = CgroupAction.CGROUP_ACTION_OOM_KILLED;
    const oomKill = OomKill.create({ containerId: group.id });
    this.#windows.offer(eventAbout(this.#parts, group.id, { action, count, oomKill }));
  }

  #onPressure(group: WatchedGroup, resource: string): void {
    const fact = {
      action: CgroupAction.CGROUP_ACTION_PRESSURE,
      resource: resource === 'level' ? 'memory' : resource,
      count: 1,
    };
    this.#windows.offer(eventAbout(this.#parts, group.id, fact));
  }

  #onOom(report: OomReport): void {
    const { tree, log } = this.#parts;
    if (report.sequence <= (this.#kills.position ?? 0)) return;
    const located = locateKill(report, tree.groupPath);
    if (located === undefined) return;
    const { place, kill } = located;
    log.info(
      { container_id: place.containerId, pid: kill.pid, scope: kill.scope },
      'the kernel killed a process for want of memory',
    );
    const fact = { action: CgroupAction.CGROUP_ACTION_OOM_KILLED, count: 1, oomKill: kill };
    const id = place.containerId === '' ? keyOfGroup(place.group) : place.containerId;
    this.#journal.together(() => {
      this.#kills.record(place.containerId, report.sequence, kill);
      this.#windows.offer(eventAbout(this.#parts, id, fact));
    });
    const group = this.#groups.get(place.containerId);
    // On version 1 a container does not count what is killed in groups that it has made.
    const isCounted = place.nested === '' || tree.groupOf('memory', id)?.version === 2;
    if (group !== undefined && isCounted) group.explainedKills += 1;
  }

  #explained(id: string): number {
    return this.#groups.get(id)?.explainedKills ?? this.#kills.of(id).length;
  }

  #announce(value: CgroupEvent): void {
    const { node, store } = this.#parts;
    const event = makeEvent({ node, source: 'cgroup', payload: { $case: 'cgroup', value } });
    const done = (): void => this.#onEvent(value);
    this.#journal.write(() => store.outbox.append(event), { done });
  }
}

/** What has been told after a look at the counters. A limit that was reached uncounted is not told again at the end. */
function told(before: Counts, now: Counts, reached: boolean): Counts {
  const isUncounted = reached && now.memoryMax <= before.memoryMax;
  return {
    pidsMax: Math.max(before.pidsMax, now.pidsMax),
    memoryMax: Math.max(before.memoryMax + (isUncounted ? 1 : 0), now.memoryMax),
    memoryHigh: Math.max(before.memoryHigh, now.memoryHigh),
    oomKill: Math.max(before.oomKill, now.oomKill),
  };
}

/** The counters at the end; where the last figures say less than was told, that. */
function finalCounts({ pids, memory }: Stats, before = NO_COUNTS): Counts {
  return {
    pidsMax: Math.max(before.pidsMax, pids?.limitHitCount ?? 0),
    memoryMax: Math.max(before.memoryMax, memory?.limitHitCount ?? 0),
    memoryHigh: Math.max(before.memoryHigh, memory?.highHitCount ?? 0),
    oomKill: Math.max(before.oomKill, memory?.oomKillCount ?? 0),
  };
}
