import { UsageGrouping } from '@teu/proto/cgroup';
import { UsageFilter } from '@teu/proto/cgroup';
import type { Store } from '@teu/state';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseFilter } from '../store/usage-filter.js';
import { addPast, allOf, emptyStore, idOf, some } from '../testing/usage-store.js';
import { shareOf, type Spread } from './windows.js';
import { summarize } from './summarize.js';

const HOUR = 3_600_000;
let store: Store;
let remove: () => void;
beforeEach(() => ({ store, remove } = emptyStore()));
afterEach(() => remove());

/** A run of three hours that worked only in the second one. */
function threeHours(): Spread {
  store.transaction(() =>
    addPast(store, {
      run: { containerId: idOf(1), group: 'team/build' },
      ...{ start: 10 * HOUR, end: 13 * HOUR, figures: allOf(101) },
      marks: [
        [11 * HOUR, allOf(0)],
        [12 * HOUR, allOf(101)],
      ],
    }),
  );
  const figures = { ...allOf(101), wallUs: 3 * HOUR * 1000 };
  return { ...figures, runId: 1, startTime: 10 * HOUR, endTime: 13 * HOUR };
}

test('use is shared out evenly between two marks only', () => {
  const run = threeHours();
  const used = (since: number, until: number) => {
    const { memoryByteSeconds, wallUs } = shareOf(store, run, {
      ...{ since: since * HOUR, until: until * HOUR },
    });
    return [memoryByteSeconds, wallUs / 1000 / HOUR];
  };
  expect(used(10, 11)).toEqual([0, 1]);
  expect(used(11, 12)).toEqual([101, 1]);
  expect(used(11.5, 12)).toEqual([50.5, 0.5]);
  expect(used(12, 13)).toEqual([0, 1]);
  expect(used(0, 99)).toEqual([101, 3]);
  expect(used(-Infinity, Infinity)).toEqual([101, 3]);
  expect(used(14, 15)).toEqual([0, 0]);
});

test('what was used in spans that follow each other adds up to the whole, also of counts', () => {
  const run = threeHours();
  let [cpu, kills] = [0, 0];
  for (let at = 10; at < 13; at += 0.125) {
    const window = { since: at * HOUR, until: (at + 0.125) * HOUR };
    const figures = shareOf(store, run, window);
    expect(Number.isInteger(figures.oomKills)).toBe(true);
    cpu += figures.cpuUs;
    kills += figures.oomKills;
  }
  expect([cpu, kills]).toEqual([101, 101]);
});

test('peaks are those up to the end of the span', () => {
  const run = threeHours();
  const peak = (until: number) =>
    shareOf(store, run, { since: 10 * HOUR, until: until * HOUR }).memoryPeak;
  expect([peak(10.5), peak(11), peak(11.5), peak(12.5)]).toEqual([0, 0, 101, 101]);
});

test('a clock that was set back makes nobody have used less than nothing', () => {
  store.transaction(() =>
    addPast(store, {
      run: { containerId: idOf(1) },
      ...{ start: 10 * HOUR, end: 11.5 * HOUR, figures: allOf(50) },
      marks: [[11 * HOUR, allOf(90)]],
    }),
  );
  const run = { ...allOf(50), runId: 1, startTime: 10 * HOUR, endTime: 11.5 * HOUR };
  const { cpuUs } = shareOf(store, run, { since: 11 * HOUR, until: 12 * HOUR });
  expect(cpuUs).toBe(0);
});

test('sums of a span have runs that lie in it and shares of those that cross its bounds', () => {
  threeHours();
  const add = (n: number, start: number, end: number) =>
    addPast(store, {
      run: { containerId: idOf(n), group: 'team' },
      ...{ start: start * HOUR, end: end * HOUR, figures: some({ cpuUs: 10, memoryPeak: n }) },
    });
  store.transaction(() => {
    add(2, 11.1, 11.2);
    add(3, 8, 9);
    add(4, 11, 11);
    add(5, 12, 12);
  });
  const filter = UsageFilter.fromPartial({
    ...{ since: new Date(11 * HOUR), until: new Date(12 * HOUR) },
  });
  const grouping = { kind: UsageGrouping.USAGE_GROUPING_GROUP, label: '' };
  const sums = summarize(store, parseFilter(store, filter), grouping, {
    ...{ behind: undefined, size: 100 },
  });
  expect(sums.map(({ key, usage }) => [key, usage?.runCount, usage?.cpuDuration?.nanos])).toEqual([
    ['team', 3, (101 + 10 + 10) * 1000],
    ['team/build', 1, 101_000],
  ]);
});
