import { Run, type UsageRecord } from '@teu/proto/cgroup';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { finalRecords } from '../store/usage-table.js';
import { FakeLedgerClock } from '../testing/fake-ledger-clock.js';
import { LedgerStand } from '../testing/ledger-stand.js';
import { idOf } from '../testing/usage-store.js';

const ID = idOf(1);
const MIB = 2 ** 20;
const SECOND = 1_000;
const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;
const checkpoint = { durable: true, all: false };

let clock: FakeLedgerClock;
let stand: LedgerStand;
beforeEach(() => {
  clock = new FakeLedgerClock();
  stand = new LedgerStand(clock);
  stand.put(ID, { 'memory.current': 10 * MIB, 'pids.current': 1, 'pids.peak': 1 });
});
afterEach(() => stand.close());

/** A run begins and is told of 20 ms later. */
function begin(): Run {
  const run = Run.fromPartial({ containerId: ID, startTime: clock.now() });
  clock.pass(20);
  stand.ledger.record(run);
  return run;
}

async function end(run: Run, exitTime: Date, error = ''): Promise<void> {
  const told = Run.fromPartial({ ...run, end: { exitTime, error } });
  await stand.ledger.finish(ID, told);
}

/** The only record: how long it says that the run has lasted, in seconds, and its memory over that time, in MiB. */
function only(): { wall: number; memory: number; record: UsageRecord } {
  const records = finalRecords(stand.store, 1, 10);
  expect(records).toHaveLength(1);
  const [record] = records;
  const { seconds = 0, nanos = 0 } = record?.usage?.wallDuration ?? {};
  const wall = seconds + nanos / 1e9;
  return { wall, memory: (record?.usage?.memoryByteSeconds ?? 0) / MIB / wall, record: record! };
}

describe.each([
  ['an hour ahead', HOUR],
  ['an hour back', -HOUR],
  ['years ahead', 20 * YEAR],
  ['years back', -20 * YEAR],
  ['two seconds ahead', 2 * SECOND],
  ['two seconds back', -2 * SECOND],
])('a clock that is set %s', (_, step) => {
  test('while a run lasts changes neither its length nor its memory', async () => {
    const run = begin();
    clock.pass(30 * SECOND);
    await stand.ledger.refresh(checkpoint);
    clock.set(step);
    clock.pass(30 * SECOND);
    await stand.ledger.refresh(checkpoint);
    clock.pass(SECOND);
    const exitTime = clock.now();
    clock.pass(5);
    await end(run, exitTime);
    const { wall, memory } = only();
    expect(wall).toBeCloseTo(61.02, 3);
    expect(memory).toBeCloseTo(10, 3);
  });

  test('between two checkpoints, before the end, changes nothing', async () => {
    const run = begin();
    clock.pass(30 * SECOND);
    await stand.ledger.refresh(checkpoint);
    clock.set(step);
    clock.pass(5 * SECOND);
    const exitTime = clock.now();
    clock.pass(5);
    await end(run, exitTime);
    expect(only().wall).toBeCloseTo(35.02, 3);
  });

  test('after the end and before the ledger is told changes nothing', async () => {
    const run = begin();
    clock.pass(30 * SECOND);
    await stand.ledger.refresh(checkpoint);
    const exitTime = clock.now();
    clock.set(step);
    clock.pass(5);
    await end(run, exitTime);
    const { wall, memory } = only();
    // What was noted by either clock may be meant if the step is small: it is off by that then, not by more.
    const most = Math.abs(step) < 10 * SECOND ? Math.abs(step) / SECOND : 0;
    expect(wall).toBeGreaterThan(30.019 - most);
    expect(wall).toBeLessThan(30.03);
    expect(memory).toBeCloseTo(10, 3);
  });

  test('while the service was away changes nothing', async () => {
    const run = begin();
    await stand.ledger.refresh(checkpoint);
    stand.crash();
    clock.set(step);
    clock.pass(30 * SECOND);
    await stand.ledger.refresh(checkpoint);
    clock.pass(SECOND);
    await end(run, clock.now());
    const { wall, memory } = only();
    expect(wall).toBeCloseTo(31.02, 3);
    expect(memory).toBeCloseTo(10, 3);
  });

  test('while the host was down changes nothing: the run ends at the last checkpoint', async () => {
    const run = begin();
    clock.pass(30 * SECOND);
    await stand.ledger.refresh(checkpoint);
    const last = clock.now();
    clock.pass(5 * SECOND);
    stand.reboot();
    stand.remove(ID);
    clock.set(step);
    await end(run, clock.now(), 'the host restarted');
    const { wall, memory, record } = only();
    expect(wall).toBeCloseTo(30.02, 3);
    expect(memory).toBeCloseTo(10, 3);
    expect(record).toMatchObject({ incomplete: true, figuresTime: last });
  });

  test('before a power cut changes nothing either', async () => {
    const run = begin();
    clock.pass(10 * SECOND);
    await stand.ledger.refresh(checkpoint);
    clock.set(step);
    clock.pass(20 * SECOND);
    await stand.ledger.refresh(checkpoint);
    stand.reboot();
    stand.remove(ID);
    await end(run, clock.now(), 'the host restarted');
    expect(only().wall).toBeCloseTo(30.02, 3);
  });

  test('does not change sums', async () => {
    const run = begin();
    clock.pass(30 * SECOND);
    await stand.ledger.refresh({ durable: false, all: true });
    clock.set(step);
    clock.pass(30 * SECOND);
    await stand.ledger.refresh({ durable: false, all: true });
    expect(stand.column(ID, 'wall_us')! / 1e6).toBeCloseTo(60.02, 3);
    await end(run, clock.now());
    expect(stand.column(ID, 'wall_us')! / 1e6).toBeCloseTo(60.02, 3);
  });
});

test('a run on a host that does not count memory lasts until the last checkpoint before a power cut', async () => {
  stand.remove(ID);
  stand.put(ID, { 'pids.current': 1, 'pids.peak': 1 });
  const run = begin();
  await stand.ledger.refresh(checkpoint);
  clock.pass(30 * SECOND);
  // Nothing has changed, so nothing is written but that there was a checkpoint.
  await stand.ledger.refresh(checkpoint);
  stand.reboot();
  stand.remove(ID);
  await end(run, clock.now(), 'the host restarted');
  expect(only().wall).toBeCloseTo(30.02, 3);
});

test('a run that a supervisor has seen the end of before the host went down lasts until then', async () => {
  const run = begin();
  clock.pass(30 * SECOND);
  await stand.ledger.refresh(checkpoint);
  clock.pass(4 * SECOND);
  const exitTime = clock.now();
  stand.reboot();
  stand.remove(ID);
  clock.pass(HOUR);
  await end(run, exitTime);
  expect(only().wall).toBeCloseTo(34.02, 3);
});

test('a run of which somebody has removed the cgroup lasts until its end if that is known', async () => {
  const run = begin();
  clock.pass(30 * SECOND);
  await stand.ledger.refresh(checkpoint);
  stand.remove(ID);
  clock.set(-HOUR);
  clock.pass(5 * SECOND);
  await end(run, clock.now());
  expect(only().wall).toBeCloseTo(35.02, 3);
  expect(only().record.incomplete).toBe(true);
});

test('a run of which somebody has removed the cgroup while the service was away lasts until the last checkpoint', async () => {
  const run = begin();
  await stand.ledger.refresh(checkpoint);
  clock.pass(30 * SECOND);
  // Nothing has changed, so nothing is written but that there was a checkpoint.
  await stand.ledger.refresh(checkpoint);
  const last = clock.now();
  stand.crash();
  stand.remove(ID);
  clock.pass(HOUR);
  await end(run, clock.now(), 'nobody knows');
  const { wall, memory, record } = only();
  expect(wall).toBeCloseTo(30.02, 3);
  expect(memory).toBeCloseTo(10, 3);
  expect(record).toMatchObject({ incomplete: true, figuresTime: last });
});
