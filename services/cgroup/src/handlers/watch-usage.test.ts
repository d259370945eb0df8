import type { WatchUsageResponse } from '@teu/proto/cgroup';
import type { CallContext } from '@teu/rpc';
import type { Store } from '@teu/state';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CgroupParts } from '../cgroup-parts.js';
import { prune } from '../ledger/housekeeping.js';
import { addPast, allOf, emptyStore, idOf } from '../testing/usage-store.js';
import { watchUsage } from './watch-usage.js';

let store: Store;
let remove: () => void;
let listeners: Set<() => void>;
let abort: AbortController;
let added: number;
beforeEach(() => {
  ({ store, remove } = emptyStore());
  listeners = new Set();
  abort = new AbortController();
  added = 0;
});
afterEach(() => {
  abort.abort();
  remove();
});

/** Records that so many runs have ended. */
function end(count: number): void {
  store.transaction(() => {
    for (let n = 0; n < count; n += 1) {
      added += 1;
      addPast(store, {
        run: { containerId: idOf(added) },
        ...{ start: added, end: added + 1, figures: allOf(added) },
      });
    }
  });
  for (const listener of [...listeners]) listener();
}

function watch(fromSequence: number, untilNow = false): AsyncGenerator<WatchUsageResponse> {
  const ledger = {
    onFinal: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const context = { signal: abort.signal } as CallContext;
  const parts: Partial<CgroupParts> = { store, ledger: ledger as never };
  return watchUsage(parts as CgroupParts, { fromSequence, untilNow }, context);
}

/** Numbers of the next records. */
async function take(stream: AsyncGenerator<WatchUsageResponse>, count: number): Promise<number[]> {
  const numbers: number[] = [];
  while (numbers.length < count) {
    const { value } = (await stream.next()) as { value: WatchUsageResponse };
    numbers.push(value.record?.sequence ?? 0);
  }
  return numbers;
}

const series = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, n) => first + n);

test('the past comes first, then what ends, each once', async () => {
  end(150);
  const stream = watch(1);
  expect((await stream.next()).value).toEqual({ record: undefined, nextSequence: 1 });
  expect(await take(stream, 149)).toEqual(series(1, 149));
  end(100);
  expect(await take(stream, 101)).toEqual(series(150, 101));
  const waiting = take(stream, 2);
  end(2);
  expect(await waiting).toEqual([251, 252]);
});

test('it goes on where a client has stopped', async () => {
  end(10);
  const stream = watch(8);
  await stream.next();
  expect(await take(stream, 3)).toEqual([8, 9, 10]);
});

test('it can begin now, and end now', async () => {
  end(3);
  const fresh = watch(0);
  expect((await fresh.next()).value).toEqual({ record: undefined, nextSequence: 4 });
  const past = watch(2, true);
  await past.next();
  end(1);
  expect(await take(past, 2)).toEqual([2, 3]);
  expect((await past.next()).done).toBe(true);
  expect(await take(fresh, 1)).toEqual([4]);
});

test('it ends when the client goes, and listens to nothing any more', async () => {
  const stream = watch(0);
  await stream.next();
  const next = stream.next();
  abort.abort();
  expect((await next).done).toBe(true);
  expect(listeners.size).toBe(0);
});

test('records that are not there (any more) are refused', async () => {
  end(10);
  prune(store, { keepMs: 1e12, records: 4 }, 0);
  for (const from of [1, 6, 12, 1e6]) {
    await expect(watch(from).next(), String(from)).rejects.toMatchObject({
      ...{ reason: 'EVENTS_EXPIRED', metadata: { oldest: '7', newest: '10' } },
    });
  }
  const stream = watch(7);
  await stream.next();
  expect(await take(stream, 4)).toEqual([7, 8, 9, 10]);
  const next = watch(11);
  expect((await next.next()).value).toMatchObject({ nextSequence: 11 });
});

test('a client that is too slow for what is kept is told so', async () => {
  end(100);
  const stream = watch(1);
  await stream.next();
  expect(await take(stream, 64)).toEqual(series(1, 64));
  prune(store, { keepMs: 1e12, records: 10 }, 0);
  await expect(stream.next()).rejects.toMatchObject({ reason: 'EVENTS_EXPIRED' });
});

test('numbers go on when all records have gone', async () => {
  end(5);
  prune(store, { keepMs: -1, records: 100 }, Number.MAX_SAFE_INTEGER);
  end(1);
  const stream = watch(6);
  await stream.next();
  expect(await take(stream, 1)).toEqual([6]);
});
