import { afterEach, beforeEach, expect, test } from 'vitest';
import { Run } from '@teu/proto/cgroup';
import { LedgerStand } from '../testing/ledger-stand.js';
import { idOf } from '../testing/usage-store.js';

const MIB = 2 ** 20;
const ID = idOf(1);
const HOURS = 10;
const TEN_HOURS_S = HOURS * 3600;

let stand: LedgerStand;
beforeEach(() => {
  stand = new LedgerStand();
});
afterEach(() => stand.close());

const now = { durable: false, all: true };

test('memory that changes after a restart was as it was before until then', async () => {
  stand.leave({ id: ID, hoursAgo: HOURS, bytes: 10 * MIB });
  stand.put(ID, { 'memory.current': 1024 * MIB, 'pids.current': 1, 'pids.peak': 1 });
  await stand.ledger.refresh(now);
  const mean = stand.column(ID, 'memory_byte_seconds')! / TEN_HOURS_S / MIB;
  expect(mean).toBeGreaterThanOrEqual(10);
  // A GiB for some seconds, which a busy machine takes, is 1 % of 10 MiB for ten hours.
  expect(mean).toBeLessThan(11);
});

test('a run that had ended before the last sample counts up to its end after a restart', async () => {
  stand.leave({ id: ID, hoursAgo: HOURS, bytes: 10 * MIB });
  stand.put(ID, { 'memory.current': 10 * MIB, 'memory.peak': 1024 * MIB, 'pids.current': 0 });
  const startTime = new Date(stand.column(ID, 'start_time')!);
  const exitTime = new Date(startTime.getTime() + 3_600_000);
  await stand.ledger.finish(ID, Run.fromPartial({ containerId: ID, startTime, end: { exitTime } }));
  expect(stand.column(ID, 'memory_byte_seconds')! / 3600 / MIB).toBeCloseTo(10, 1);
});

test('a run in which nothing ran any more uses nothing after a restart either', async () => {
  stand.leave({ id: ID, hoursAgo: HOURS, bytes: 10 * MIB, populated: false });
  stand.put(ID, { 'memory.current': 10 * MIB, 'pids.current': 0, 'pids.peak': 1 });
  await stand.ledger.refresh(now);
  expect(stand.column(ID, 'memory_byte_seconds')).toBe(0);
});

test('of a run of an earlier boot it is what it was until the last checkpoint', async () => {
  stand.leave({ id: ID, hoursAgo: HOURS, bytes: 10 * MIB, bootId: 'earlier' });
  await stand.ledger.finish(ID, undefined);
  expect(stand.column(ID, 'memory_byte_seconds')! / TEN_HOURS_S / MIB).toBeCloseTo(10, 3);
});
