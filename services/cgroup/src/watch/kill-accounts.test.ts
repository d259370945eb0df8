import { silentLogger } from '@teu/log';
import type { CgroupEvent } from '@teu/proto/event';
import { tempDir, type TempDir } from '@teu/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { emptyStore } from '../testing/usage-store.js';
import { Announcements } from './announcements.js';
import { Journal } from './journal.js';
import { KillAccounts } from './kill-accounts.js';
import { Kills } from './kills.js';
import type { OomReport } from './told.js';
import { createToldTable, nothingTold } from './told-table.js';
import { WatchedGroups, type WatchedGroup } from './watched-groups.js';

const ID = 'c'.repeat(64);
/** For a slow machine; the time that the accounts wait is advanced by hand or by the looks themselves. */
const PATIENCE = { timeout: 20_000, interval: 10 };
const LIMITED = { usage: 1024, limit: 1024 };

let directory: TempDir;
let made: ReturnType<typeof emptyStore>;
let events: CgroupEvent[];
let groups: WatchedGroups;
let kills: Kills;
let accounts: KillAccounts;
/** What the program answers to "sync"; undefined while it is down. */
let sync: () => number[] | undefined;
let lastSequence: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  directory = tempDir();
  made = emptyStore();
  events = [];
  lastSequence = 0;
  sync = () => [lastSequence];
  groups = new WatchedGroups();
  const tree = {
    groupPath: 'teu/e',
    groupOf: () => ({ path: directory.path, version: 2 }),
    placeOf: () => '',
  } as unknown as CgroupTree;
  const log = silentLogger;
  const { store } = made;
  const journal = new Journal({ store, log });
  kills = new Kills(store, journal);
  const names = (): string => '';
  const announcements = new Announcements(
    { node: 'n', store, tree, names },
    {
      ...{ journal, groups, windowMs: 0, table: createToldTable(store) },
      onEvent: (event) => events.push(event),
    },
  );
  const program = (): { request: () => Promise<number[] | undefined> } => ({
    request: () => Promise.resolve(sync()),
  });
  accounts = new KillAccounts({ log, tree, names, kills, groups, journal, announcements, program });
});
afterEach(() => {
  for (const group of groups.all()) groups.remove(group);
  kills.close();
  vi.useRealTimers();
  made.remove();
  directory.remove();
});

function begin(): WatchedGroup {
  count(0);
  accounts.begun(ID);
  return groups.add({ id: ID, inode: '1', madeTime: 1, told: nothingTold() });
}

/** Sets what the group of the container counts. */
function count(oomKill: number): void {
  writeFileSync(join(directory.path, 'memory.events'), `oom_kill ${oomKill}\n`);
}

/** What the watcher tells of the counter. */
function tellCount(group: WatchedGroup, oomKill: number): void {
  count(oomKill);
  group.counts = { ...group.counts, oomKill };
  accounts.counted(group);
}

function report(pid: number): void {
  lastSequence += 1;
  const path = `/teu/e/${ID}`;
  const who = { pid, comm: 'dd', uid: 0, anonymous: 0, file: 0, shared: 0, score: 0 };
  const where = { constraint: 'MEMCG', limitGroup: path, taskGroup: path };
  const what: OomReport = {
    ...{ sequence: lastSequence, time: new Date(), ...where, ...who },
    ...{ memory: LIMITED, memoryAndSwap: LIMITED },
  };
  accounts.report(what);
}

const pids = (): number[] => kills.of(ID).map(({ pid }) => pid);
const told = (): unknown[] => events.map(({ count: times, oomKill }) => [times, oomKill?.pid]);
const dropped = (group: WatchedGroup, counted: number): void => {
  accounts.depart(group, counted);
  groups.remove(group);
};

test('a report that comes when the container runs again is none of the new run', async () => {
  const first = begin();
  sync = () => undefined;
  count(1);
  await vi.advanceTimersByTimeAsync(0);
  dropped(first, 1);
  expect(told()).toEqual([[1, 0]]);
  const second = begin();
  report(7);
  expect(pids()).toEqual([]);
  expect(second.told.oomKill).toBe(0);
  expect(told()).toHaveLength(1);
  // One of its own is.
  count(1);
  report(8);
  expect(pids()).toEqual([8]);
  expect(told()).toEqual([
    [1, 0],
    [1, 8],
  ]);
});

test('a report that comes when the container is gone fills in what was told, and is forgotten', async () => {
  const group = begin();
  count(1);
  dropped(group, 1);
  report(7);
  expect(pids()).toEqual([7]);
  expect(told()).toEqual([[1, 0]]);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(pids()).toEqual([]);
});

test('before a kill is told without a cause the log is read to its end', async () => {
  const group = begin();
  tellCount(group, 1);
  sync = () => {
    if (pids().length === 0) report(7);
    return [lastSequence];
  };
  await vi.advanceTimersByTimeAsync(5000);
  await vi.waitFor(() => expect(told()).toEqual([[1, 7]]), PATIENCE);
  expect(group.told).toMatchObject({ oomKill: 1, oomWaiting: 0 });
});

test('while nobody reads the log nothing is given up', async () => {
  const group = begin();
  let asked = 0;
  sync = () => {
    asked += 1;
    return undefined;
  };
  await accounts.settle(ID, 1);
  const atOnce = asked;
  tellCount(group, 1);
  await vi.advanceTimersByTimeAsync(500);
  await vi.waitFor(() => expect(asked).toBe(2 * atOnce), PATIENCE);
  // Twice, because the first time is not over when the log is asked for.
  await vi.waitFor(() => expect(asked).toBeGreaterThan(2 * atOnce), PATIENCE);
  expect(told()).toEqual([]);
  sync = () => [lastSequence];
  report(7);
  await vi.advanceTimersByTimeAsync(5000);
  expect(told()).toEqual([[1, 7]]);
});

test('a report that comes after a kill was given up gives it its cause and is no second one', async () => {
  const group = begin();
  tellCount(group, 1);
  await vi.advanceTimersByTimeAsync(5000);
  await vi.waitFor(() => expect(told()).toEqual([[1, 0]]), PATIENCE);
  report(7);
  expect(pids()).toEqual([7]);
  expect(told()).toHaveLength(1);
  // So that the next one is still waited for.
  count(2);
  expect(group.told.oomKill).toBe(1);
  report(8);
  expect(pids()).toEqual([8, 7]);
  expect(told()).toEqual([
    [1, 0],
    [1, 8],
  ]);
});

test('kills of an earlier time are counted once, whatever comes first', async () => {
  count(2);
  const adopted = { id: ID, inode: '1', madeTime: 0, told: { ...nothingTold(), oomKill: 1 } };
  const group = groups.add(adopted);
  tellCount(group, 2);
  report(7);
  await vi.advanceTimersByTimeAsync(5000);
  expect(group.told.oomKill).toBe(2);
  expect(told()).toEqual([[1, 7]]);
});

test('kills that waited when the service ended are told once, whatever waits by then', () => {
  const waited = { ...nothingTold(), oomKill: 2, oomWaiting: 2 };
  const group = groups.add({ id: ID, inode: '1', madeTime: 0, told: waited });
  accounts.tellWaiting(group);
  expect(told()).toEqual([[2, 0]]);
  // Another one waits for the end of a window when limits change, or the watcher is started again.
  group.told.oomWaiting = 1;
  accounts.tellWaiting(group);
  expect(told()).toHaveLength(1);
});
