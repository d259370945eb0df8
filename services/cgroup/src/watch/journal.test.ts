import { silentLogger } from '@teu/log';
import type { Store } from '@teu/state';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { emptyStore } from '../testing/usage-store.js';
import { Journal, WAITING_MAX } from './journal.js';
import { createKillTable } from './kill-table.js';

let made: ReturnType<typeof emptyStore>;
let store: Store;
let journal: Journal;
const errors = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  errors.mockClear();
  made = emptyStore();
  ({ store } = made);
  journal = new Journal({ store, log: { ...silentLogger, error: errors } });
});
afterEach(() => {
  journal.close();
  vi.useRealTimers();
  made.remove();
});

/** Makes the store as full as it can be, or lets it grow again. */
function setFull(isFull: boolean): void {
  store.db.exec(`PRAGMA max_page_count = ${isFull ? 1 : 1_000_000}`);
}
const writeMuch = (): void => {
  store.db.exec('CREATE TABLE much (text TEXT)');
  store.db.exec('INSERT INTO much VALUES (zeroblob(100000))');
};
const position = (): number | undefined => createKillTable(store).position();
const setPosition = (sequence: number) => () => createKillTable(store).setPosition(sequence);

test('a full disk holds up what is written, in order, and throws nothing', () => {
  const done: string[] = [];
  setFull(true);
  journal.write(writeMuch, { done: () => done.push('much') });
  // Would fit, but the position must not pass what is not written.
  journal.write(setPosition(7), { done: () => done.push('position') });
  vi.advanceTimersByTime(10_000);
  expect(done).toEqual([]);
  expect(position()).toBeUndefined();
  expect(errors).toHaveBeenCalledTimes(1);
  setFull(false);
  vi.advanceTimersByTime(60_000);
  expect(done).toEqual(['much', 'position']);
  expect(position()).toBe(7);
});

test('what belongs together is written together', () => {
  setFull(true);
  journal.together(() => {
    journal.write(setPosition(3));
    journal.write(writeMuch);
  });
  expect(position()).toBeUndefined();
  setFull(false);
  journal.close();
  expect(position()).toBe(3);
});

test('what waits is bounded, and the oldest is given up', () => {
  setFull(true);
  const done: number[] = [];
  journal.write(writeMuch, { done: () => done.push(0) });
  for (let n = 1; n <= WAITING_MAX; n += 1)
    journal.write(() => undefined, { done: () => done.push(n) });
  setFull(false);
  vi.advanceTimersByTime(60_000);
  expect(done).toHaveLength(WAITING_MAX);
  expect(done[0]).toBe(1);
});
