import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { clock } from '@teu/ids';
import type { Stats } from '@teu/proto/cgroup';
import { CgroupAction, type CgroupEvent } from '@teu/proto/event';
import { OomKill } from '@teu/proto/type';
import type { CgroupParts } from '../cgroup-parts.js';
import { isGroupKey } from '../domain/group-path.js';
import { readStats } from '../tree/group-stats.js';
import { Announcements } from './announcements.js';
import { countsAfter, finalCounts } from './compare-counts.js';
import { Journal } from './journal.js';
import { KillAccounts } from './kill-accounts.js';
import { Kills } from './kills.js';
import { limitEvents } from './limit-events.js';
import { eventAbout } from './subject.js';
import { ThrottleSampler } from './throttle-sampler.js';
import type { Counts, Told } from './told.js';
import { createToldTable, nothingTold, type ToldTable } from './told-table.js';
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

/**
 * Hears from the kernel what happens at the limits of groups, announces it, and remembers what was killed for want of
 * memory. Nothing waits for it: groups are watched soon after they were made, and with the watcher away (it is
 * started again) only notifications are late, for counters and the kernel's log tell what happened meanwhile.
 */
export class CgroupWatch {
  readonly #parts: Parts;
  readonly #journal: Journal;
  readonly #kills: Kills;
  readonly #table: ToldTable;
  readonly #announcements: Announcements;
  readonly #accounts: KillAccounts;
  readonly #throttling: ThrottleSampler;
  readonly #groups = new WatchedGroups();
  readonly #program: WatchProgram;
  readonly #beginning = new Set<WatchedGroup>();
  #beginTimer: NodeJS.Timeout | undefined;

  /** @param onEvent - Hears of each event as it is recorded. */
  constructor(parts: Parts, options: WatchOptions, onEvent: (event: CgroupEvent) => void) {
    this.#parts = parts;
    const { log, tree, names, store } = parts;
    this.#table = createToldTable(store);
    const shared = { groups: this.#groups, journal: new Journal(parts) };
    this.#journal = shared.journal;
    this.#kills = new Kills(store, shared.journal);
    const { eventWindowMs: windowMs } = options;
    const telling = { ...shared, table: this.#table, windowMs, onEvent };
    this.#announcements = new Announcements(parts, telling);
    this.#accounts = new KillAccounts({
      ...{ ...shared, log, tree, names, kills: this.#kills, announcements: this.#announcements },
      program: () => this.#program,
    });
    const { throttleShare: share, throttleIntervalMs: intervalMs } = options;
    this.#throttling = new ThrottleSampler(parts, {
      ...{ share, intervalMs, journal: this.#journal },
      emit: (event) => this.#announcements.offer(event),
    });
    this.#adoptAll();
    this.#program = new WatchProgram({
      log,
      args: () => programArguments(tree.host, options, this.#kills.position),
      onTold: (told) => this.#onTold(told),
      onRestart: () => this.#onRestart(),
    });
  }

  /** Process of the watcher, for tests; undefined while none runs. */
  get pid(): number | undefined {
    return this.#program.pid;
  }

  /** Takes note of a group that is new, or may be. */
  added(id: string): void {
    const inode = this.#inodeOf(id);
    const known = this.#groups.get(id);
    if (known?.inode === inode) return;
    if (known !== undefined) this.#dropGone(known);
    this.#accounts.begun(id);
    this.#begin(
      this.#groups.add({ id, inode, madeTime: clock.now().getTime(), told: nothingTold() }),
    );
  }

  /** Takes note that limits of a group may be others. */
  changed(id: string): void {
    const group = this.#groups.get(id);
    if (group !== undefined) this.#begin(group);
  }

  /** Takes note that a group was removed, and with one of containers all that were in it. */
  removed(id: string): void {
    for (const group of this.#groups.all()) {
      if (group.id !== id && !group.id.startsWith(`${id}/`)) continue;
      if (!group.isLeaving && !this.#parts.tree.exists(group.id)) this.#dropGone(group);
    }
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
    this.#throttling.leave(id, stats.cpu);
    const ended = this.#program.request('unwatch', group.number);
    if (group.tellsPressure) await Promise.race([ended, delay(UNWATCH_TIME_MS)]);
  }

  /** Takes note that a container's group is gone, and gives what was killed in it as settledKills does. */
  async left(id: string, counted: number): Promise<OomKill[]> {
    const group = this.#groups.get(id);
    const kills = await this.settledKills(id, counted);
    if (group === undefined || !this.#groups.has(group)) return kills;
    this.#accounts.depart(group, counted);
    this.#drop(group);
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
    await this.#accounts.settle(id, counted);
    const kills = this.#kills.of(id);
    if (kills.length === 0 && counted > 0) return [OomKill.create({ containerId: id })];
    return [...kills];
  }

  /** Ends; what waits to be told is told before. */
  async close(): Promise<void> {
    clearTimeout(this.#beginTimer);
    await this.#program.close();
    this.#throttling.close();
    this.#announcements.flush();
    for (const group of this.#groups.all()) this.#groups.remove(group);
    this.#kills.close();
    this.#journal.close();
  }

  /** Takes the groups of an earlier time over: what was told of them is not told again, what was not is told. */
  #adoptAll(): void {
    const { containers, groups } = this.#parts.tree.inhabitants();
    const isUnsure = this.#table.isUnsure();
    const gone = new Set(this.#table.ids());
    this.#journal.together(() => {
      this.#announcements.resume();
      for (const id of [...containers.keys(), ...groups]) {
        this.#adopt(id, isUnsure);
        gone.delete(id);
      }
      this.#throttling.adopt(this.#groups.all());
      for (const id of gone) this.#journal.write(() => this.#table.delete(id), { durable: false });
      if (isUnsure) this.#journal.write(() => this.#table.setSure());
    });
    for (const id of this.#kills.containers()) if (!containers.has(id)) this.#kills.forgetLater(id);
  }

  /** @param isUnsure - Whether what was told of it is not known; then all is taken for told. */
  #adopt(id: string, isUnsure: boolean): void {
    const inode = this.#inodeOf(id);
    const known = this.#table.get(id, inode);
    const told = known ?? nothingTold();
    if (known === undefined && isUnsure)
      Object.assign(told, finalCounts(readStats(this.#parts.tree, id)));
    const group = this.#groups.add({ id, inode, madeTime: 0, told });
    if (known === undefined && isUnsure) {
      group.isAgain = true;
      // Reports of them may still be unread.
      group.givenUpKills = Math.max(told.oomKill - this.#kills.of(id).length, 0);
      this.#announcements.keep(group);
    }
    this.#begin(group);
  }

  #inodeOf(id: string): string {
    const path = this.#parts.tree.lastGroup(id);
    return String(statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? '');
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
      this.#throttling.add(group);
      this.#accounts.tellWaiting(group);
      void this.#watch(group);
    }
  }

  async #watch(group: WatchedGroup): Promise<void> {
    const path = this.#parts.tree.pathOf(group.id);
    const answer = await this.#program.request('watch', group.number, path);
    if (!this.#groups.has(group) || group.isLeaving) return;
    if (answer === undefined) {
      // The program has ended, or the group was removed by somebody else.
      if (!this.#parts.tree.exists(group.id)) this.#drop(group);
      return;
    }
    group.isAgain = false;
    this.#askForPressure(group);
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
      group.isAgain = group.counts.memoryMax > 0;
      group.tellsPressure = false;
      this.#begin(group);
    }
  }

  /** Drops a group that somebody else has removed. */
  #dropGone(group: WatchedGroup): void {
    void this.#program.request('unwatch', group.number);
    this.#drop(group);
  }

  #drop(group: WatchedGroup): void {
    this.#announcements.release(group);
    this.#groups.remove(group);
    this.#beginning.delete(group);
    this.#throttling.remove(group.id);
    if (!isGroupKey(group.id)) this.#kills.forgetLater(group.id);
  }

  /** Nobody waits for what is told: whatever it leads to, the service goes on. */
  #onTold(told: Told): void {
    try {
      this.#take(told);
    } catch (error) {
      this.#parts.log.error({ err: error, kind: told.kind }, 'what the kernel told was not taken');
    }
  }

  #take(told: Told): void {
    switch (told.kind) {
      case 'kmsg':
        this.#accounts.readsKernelLog = told.newest !== undefined;
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
        this.#accounts.report(told.report);
        return;
      case 'unheard':
        this.#parts.log.warn(
          'the kernel notifies of no more groups (fs.inotify.max_user_watches); some are looked at every two seconds',
        );
        return;
      case 'lost':
        this.#parts.log.info(
          { count: told.count },
          'records of the kernel log were overwritten unread',
        );
    }
  }

  #onCounts(group: WatchedGroup, counts: Counts, reached: boolean): void {
    const change = { before: group.counts, now: counts, reached };
    group.counts = countsAfter(group.counts, counts, reached);
    this.#journal.together(() => {
      for (const event of limitEvents(this.#parts, group.id, change))
        this.#announcements.offer(event);
    });
    this.#accounts.counted(group);
  }

  #onPressure(group: WatchedGroup, resource: string): void {
    const fact = {
      action: CgroupAction.CGROUP_ACTION_PRESSURE,
      resource: resource === 'level' ? 'memory' : resource,
      count: 1,
    };
    this.#announcements.offer(eventAbout(this.#parts, group.id, fact));
  }
}
