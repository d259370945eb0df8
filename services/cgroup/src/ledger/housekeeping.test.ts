import { setImmediate } from 'node:timers/promises';
import { silentLogger } from '@teu/log';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LedgerStand } from '../testing/ledger-stand.js';
import { addPast, idOf, some } from '../testing/usage-store.js';
import { startHousekeeping } from './housekeeping.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BEGIN = Date.UTC(2026, 0, 1);

let stand: LedgerStand;
let stop: () => void;
beforeEach(() => {
  vi.useFakeTimers({ now: BEGIN, toFake: ['Date', 'setInterval', 'clearInterval', 'hrtime'] });
  stand = new LedgerStand();
});
afterEach(() => {
  stop();
  stand.close();
  vi.useRealTimers();
});

function start(): void {
  const { store, ledger, clock } = stand;
  const retention = { keepMs: 100 * DAY, records: 1_000 };
  stop = startHousekeeping({ store, ledger, log: silentLogger, clock }, HOUR, retention);
}

const countOf = (table: string): number =>
  stand.store.prepare<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0;

function addRun(marks: readonly number[] = []): void {
  const figures = some({ cpuUs: 1 });
  stand.store.transaction(() =>
    addPast(stand.store, {
      run: { containerId: idOf(1) },
      ...{ start: BEGIN - 40 * DAY, end: BEGIN, figures },
      marks: marks.map((time) => [time, figures]),
    }),
  );
}

test('a clock that is far ahead at the start removes nothing', () => {
  addRun();
  vi.setSystemTime(BEGIN + 3_650 * DAY);
  start();
  vi.advanceTimersByTime(2 * HOUR);
  expect(countOf('usage_runs')).toBe(1);
});

test('a record goes when it is too old, and none in the first hour', () => {
  addRun();
  start();
  vi.advanceTimersByTime(99 * DAY);
  expect(countOf('usage_runs')).toBe(1);
  vi.advanceTimersByTime(2 * DAY);
  expect(countOf('usage_runs')).toBe(0);
});

test('of hours that are long ago one mark a day is left', () => {
  const old = BEGIN - 40 * DAY;
  const young = BEGIN - 2 * DAY;
  const hours = (from: number) => Array.from({ length: 24 }, (_, hour) => from + hour * HOUR);
  addRun([...hours(old), ...hours(young)]);
  start();
  vi.advanceTimersByTime(HOUR);
  expect(countOf('usage_marks')).toBe(1 + 24);
});

test('runs of an earlier boot end when no engine has told of them for a day since the start', () => {
  stand.leave({ id: idOf(2), hoursAgo: 300, bytes: 4096, bootId: 'earlier' });
  stand.leave({ id: idOf(3), hoursAgo: 300, bytes: 4096 });
  start();
  vi.advanceTimersByTime(23 * HOUR);
  expect(stand.column(idOf(2), 'sequence')).toBeNull();
  vi.advanceTimersByTime(HOUR);
  expect(stand.column(idOf(2), 'sequence')).toBe(1);
  expect(stand.column(idOf(2), 'incomplete')).toBe(1);
  expect(stand.column(idOf(3), 'sequence')).toBeNull();
});

test('records go a few at a time, so that others have their turn, until the service stops', async () => {
  const ended = Array.from({ length: 4_500 }, (_, n) => n);
  stand.store.transaction(() => {
    for (const n of ended) {
      const run = { containerId: idOf(n) };
      addPast(stand.store, { run, start: BEGIN - DAY, end: BEGIN, figures: some({}) });
    }
  });
  const { store, ledger, clock } = stand;
  const retention = { keepMs: 100 * DAY, records: 0 };
  stop = startHousekeeping({ store, ledger, clock, log: silentLogger }, HOUR, retention);
  vi.advanceTimersByTime(HOUR);
  expect(countOf('usage_runs')).toBe(2_500);
  await setImmediate();
  expect(countOf('usage_runs')).toBe(500);
  stop();
  await setImmediate();
  expect(countOf('usage_runs')).toBe(500);
});
