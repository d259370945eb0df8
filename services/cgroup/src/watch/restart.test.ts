import { silentLogger } from '@teu/log';
import { CgroupAction, type CgroupEvent } from '@teu/proto/event';
import { tempDir, type TempDir } from '@teu/testing';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { emptyStore } from '../testing/usage-store.js';
import { Announcements } from './announcements.js';
import { Journal } from './journal.js';
import { eventAbout } from './subject.js';
import { ThrottleSampler } from './throttle-sampler.js';
import { createToldTable } from './told-table.js';
import { WatchedGroups } from './watched-groups.js';

const ID = 'c'.repeat(64);
const GROUP = { id: ID, inode: '7' };
const WINDOW_MS = 10_000;
const INTERVAL_MS = 1000;

/** One life of the service, as far as it tells of waiting. */
interface Life {
  readonly events: CgroupEvent[];
  readonly announcements: Announcements;
  readonly sampler: ThrottleSampler;
}

let directory: TempDir;
let made: ReturnType<typeof emptyStore>;
let tree: CgroupTree;
let lives: Life[];
const errors = vi.fn();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  directory = tempDir();
  made = emptyStore();
  lives = [];
  errors.mockClear();
  tree = {
    groupOf: () => ({ path: directory.path, version: 2 }),
    placeOf: () => '',
  } as unknown as CgroupTree;
  setQuota('5000 50000');
});
afterEach(() => {
  vi.useRealTimers();
  directory.remove();
  made.remove();
});

const setQuota = (quota: string): void =>
  writeFileSync(join(directory.path, 'cpu.max'), `${quota}\n`);
const setPeriods = (count: number, throttled: number): void =>
  writeFileSync(
    join(directory.path, 'cpu.stat'),
    `nr_periods ${count}\nnr_throttled ${throttled}\nthrottled_usec ${throttled * 1000}\n`,
  );

/** Begins a life. The one before it ends without a word, as with kill -9. */
function live({ share = 0.5 } = {}): Life {
  vi.clearAllTimers();
  const { store } = made;
  const journal = new Journal({ store, log: { ...silentLogger, error: errors } });
  const groups = new WatchedGroups();
  const events: CgroupEvent[] = [];
  const parts = { node: 'n', store, tree, names: () => 'name' };
  const announcements = new Announcements(parts, {
    ...{ journal, groups, windowMs: WINDOW_MS, table: createToldTable(store) },
    onEvent: (event) => events.push(event),
  });
  const sampler = new ThrottleSampler(parts, {
    ...{ share, intervalMs: INTERVAL_MS, journal },
    emit: (event) => announcements.offer(event),
  });
  const isFirst = lives.length === 0;
  journal.together(() => {
    announcements.resume();
    sampler.adopt(isFirst ? [] : [GROUP]);
  });
  sampler.add(GROUP);
  const life = { events, announcements, sampler };
  lives.push(life);
  return life;
}

const pressure = (resource: string): CgroupEvent =>
  eventAbout({ tree, names: () => 'name' }, ID, {
    action: CgroupAction.CGROUP_ACTION_PRESSURE,
    resource,
    count: 1,
  });
/** How often it was told, in each life. */
const told = (): number[] => lives.map(({ events }) => events.reduce((n, e) => n + e.count, 0));

test('waiting for a resource that was not told when the service died is told by the next one, once', () => {
  const first = live();
  for (let n = 0; n < 4; n += 1) first.announcements.offer(pressure('io'));
  first.announcements.offer(pressure('memory'));
  expect(told()).toEqual([2]);
  const second = live();
  expect(second.events).toMatchObject([{ containerId: ID, resource: 'io', count: 3 }]);
  live();
  expect(told()).toEqual([2, 3, 0]);
});

test('what was told at the end of its window is not told by the next service', () => {
  const { announcements } = live();
  for (let n = 0; n < 3; n += 1) announcements.offer(pressure('io'));
  vi.advanceTimersByTime(WINDOW_MS);
  expect(told()).toEqual([3]);
  live();
  expect(told()).toEqual([3, 0]);
});

test('what waits is no more than a change for each kind while nothing can be written', () => {
  const { announcements } = live();
  announcements.offer(pressure('io'));
  made.store.db.exec(
    "CREATE TEMP TRIGGER full BEFORE INSERT ON waiting_events BEGIN SELECT RAISE(ABORT, 'full'); END",
  );
  for (let n = 0; n < 20_000; n += 1) announcements.offer(pressure('io'));
  made.store.db.exec('DROP TRIGGER full');
  vi.advanceTimersByTime(WINDOW_MS);
  expect(errors).toHaveBeenCalledTimes(1);
  expect(told()).toEqual([20_001]);
});

test('periods of a quota that nobody had looked at when the service died are told, and none twice', () => {
  setPeriods(0, 0);
  live();
  setPeriods(10, 10);
  vi.advanceTimersByTime(INTERVAL_MS);
  // Waits for the end of the window.
  setPeriods(30, 28);
  vi.advanceTimersByTime(INTERVAL_MS);
  expect(told()).toEqual([10]);
  // Nobody looks at these.
  setPeriods(50, 48);
  live();
  vi.advanceTimersByTime(INTERVAL_MS + WINDOW_MS);
  expect(told()).toEqual([10, 38]);
  live();
  vi.advanceTimersByTime(INTERVAL_MS + WINDOW_MS);
  expect(told()).toEqual([10, 38, 0]);
});

test('a group of an earlier version is looked at from now on', () => {
  setPeriods(1000, 1000);
  lives.push({ events: [] } as unknown as Life);
  live();
  vi.advanceTimersByTime(INTERVAL_MS);
  expect(told()).toEqual([0, 0]);
  setPeriods(1010, 1010);
  vi.advanceTimersByTime(INTERVAL_MS);
  expect(told()).toEqual([0, 10]);
});

test('what happens while nobody is to be told is not told later', () => {
  setPeriods(10, 10);
  live();
  vi.advanceTimersByTime(INTERVAL_MS);
  live({ share: 0 });
  setPeriods(1000, 1000);
  live();
  vi.advanceTimersByTime(INTERVAL_MS + WINDOW_MS);
  expect(told()).toEqual([10, 0, 0]);
});

test('a quota that is taken away and given again brings nothing back', () => {
  setPeriods(10, 10);
  const { sampler } = live();
  vi.advanceTimersByTime(INTERVAL_MS);
  setPeriods(20, 20);
  setQuota('max 50000');
  sampler.add(GROUP);
  setQuota('5000 50000');
  sampler.add(GROUP);
  vi.advanceTimersByTime(INTERVAL_MS + WINDOW_MS);
  expect(told()).toEqual([20]);
});

test('nothing is kept of a group that is gone', () => {
  const rows = (): unknown => made.store.prepare('SELECT id FROM quota_periods').all();
  setPeriods(10, 10);
  const { sampler } = live();
  vi.advanceTimersByTime(INTERVAL_MS);
  expect(rows()).toEqual([{ id: ID }]);
  sampler.remove(ID);
  expect(rows()).toEqual([]);
  setPeriods(20, 20);
  live();
  vi.advanceTimersByTime(INTERVAL_MS);
  expect(rows()).toEqual([{ id: ID }]);
  // Somebody else removes it while the service is away.
  rmSync(join(directory.path, 'cpu.stat'));
  lives = [];
  live();
  expect(rows()).toEqual([]);
});
