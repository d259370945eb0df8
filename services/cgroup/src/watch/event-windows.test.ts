import { CgroupAction, CgroupEvent } from '@teu/proto/event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EventWindows } from './event-windows.js';

const WINDOW_MS = 10_000;

let told: CgroupEvent[];
let windows: EventWindows;
beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  windows = new EventWindows((event) => told.push(event), WINDOW_MS);
});
afterEach(() => {
  windows.flush();
  vi.useRealTimers();
});

const event = (part: Partial<CgroupEvent> = {}): CgroupEvent =>
  CgroupEvent.create({
    ...{ action: CgroupAction.CGROUP_ACTION_THROTTLED, containerId: 'a', count: 1 },
    ...part,
  });

test('the first is told at once, the others together at the end of the window, with sums', () => {
  windows.offer(event({ waitedDuration: { seconds: 1, nanos: 600_000_000 } }));
  windows.offer(event({ count: 2, waitedDuration: { seconds: 1, nanos: 600_000_000 } }));
  windows.offer(
    event({ count: 3, share: 0.7, waitedDuration: { seconds: 2, nanos: 500_000_000 } }),
  );
  expect(told).toHaveLength(1);
  vi.advanceTimersByTime(WINDOW_MS);
  expect(told[1]).toMatchObject({
    ...{ count: 5, share: 0.7, waitedDuration: { seconds: 4, nanos: 100_000_000 } },
  });
  // That was one event too, and the next must wait for its window.
  windows.offer(event());
  expect(told).toHaveLength(2);
  vi.advanceTimersByTime(WINDOW_MS);
  expect(told).toHaveLength(3);
  vi.advanceTimersByTime(WINDOW_MS);
  windows.offer(event());
  expect(told).toHaveLength(4);
});

test('containers, groups, limits and resources do not hold each other up', () => {
  windows.offer(event());
  windows.offer(event({ containerId: 'ab' }));
  windows.offer(event({ containerId: '', group: 'team' }));
  windows.offer(event({ limit: 'pids.max' }));
  windows.offer(event({ resource: 'io' }));
  expect(told).toHaveLength(5);
});

test('what waits of one that goes is told before', () => {
  for (const containerId of ['a', 'ab']) {
    windows.offer(event({ containerId }));
    windows.offer(event({ containerId, count: 4 }));
  }
  windows.flush(event());
  expect(told.map(({ containerId, count }) => [containerId, count])).toEqual([
    ['a', 1],
    ['ab', 1],
    ['a', 4],
  ]);
  windows.flush();
  expect(told.at(-1)).toMatchObject({ containerId: 'ab', count: 4 });
});
