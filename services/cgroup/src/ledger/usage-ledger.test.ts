import { Run } from '@teu/proto/cgroup';
import { waitFor } from '@teu/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LedgerStand } from '../testing/ledger-stand.js';
import { idOf } from '../testing/usage-store.js';

const ID = idOf(1);
const now = { durable: false, all: true };

let stand: LedgerStand;
beforeEach(() => {
  stand = new LedgerStand();
});
afterEach(() => {
  vi.restoreAllMocks();
  stand.close();
});

const runFrom = (startTime: Date): Run => Run.fromPartial({ containerId: ID, startTime });

test('a run ends to be looked at also where the kernel does not know how many tasks there were', async () => {
  stand.put(ID, { 'memory.current': 4096, 'pids.current': 0, 'cpu.stat': 'usage_usec 500' });
  stand.ledger.record(runFrom(new Date()));
  await stand.ledger.refresh(now);
  expect(stand.column(ID, 'populated')).toBe(1);
  await stand.ledger.refresh(now);
  expect(stand.column(ID, 'populated')).toBe(0);
});

test('a run that has not begun yet is looked at until it has', async () => {
  stand.put(ID, { 'memory.current': 0, 'pids.current': 0, 'cpu.stat': 'usage_usec 0' });
  stand.ledger.record(runFrom(new Date()));
  for (let round = 0; round < 2; round += 1) {
    await stand.ledger.refresh(now);
    expect(stand.column(ID, 'populated')).toBe(1);
  }
});

test('every final number is on disk before anybody hears of it', () => {
  const transaction = vi.spyOn(stand.store, 'transaction');
  const heard: number[] = [];
  stand.ledger.onFinal(() => heard.push(stand.column(ID, 'max(sequence)') ?? 0));
  stand.put(ID, { 'memory.current': 4096 });
  stand.ledger.record(runFrom(new Date(1_000)));
  transaction.mockClear();
  stand.ledger.record(runFrom(new Date(2_000)));
  expect(heard).toEqual([1]);
  const [, options] = transaction.mock.calls[0] ?? [];
  expect(options?.durable ?? true).toBe(true);
});

test('checkpoints that cannot be written are told of once, until one can', async () => {
  stand.put(ID, { 'memory.current': 4096, 'pids.current': 1 });
  stand.ledger.record(runFrom(new Date()));
  const failing = vi.spyOn(stand.store, 'transaction').mockImplementation(() => {
    throw new Error('no room');
  });
  const text = 'the figures of containers that run cannot be written; trying again';
  for (let round = 0; round < 3; round += 1) await stand.ledger.refresh(now);
  expect(stand.errors).toEqual([text]);
  failing.mockRestore();
  await stand.ledger.refresh(now);
  vi.spyOn(stand.store, 'transaction').mockImplementation(() => {
    throw new Error('no room');
  });
  await stand.ledger.refresh(now);
  expect(stand.errors).toEqual([text, text]);
});

test('those who ask at the same time share a pass that has not begun', async () => {
  stand.put(ID, { 'memory.current': 4096, 'pids.current': 1 });
  stand.ledger.record(runFrom(new Date()));
  const transaction = vi.spyOn(stand.store, 'transaction');
  await Promise.all([1, 2, 3].map(() => stand.ledger.refresh(now)));
  expect(transaction).toHaveBeenCalledTimes(1);
  const begun = stand.ledger.refresh(now);
  await Promise.resolve();
  await Promise.all([begun, stand.ledger.refresh(now)]);
  expect(transaction).toHaveBeenCalledTimes(3);
});

test('memory is measured again after a time in which no file could be opened', async () => {
  stand.put(ID, { 'memory.current': 4096, 'pids.current': 1 });
  const open = vi.spyOn(stand.files, 'open').mockImplementation(() => {
    throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
  });
  stand.ledger.record(runFrom(new Date()));
  expect(open).toHaveBeenCalledTimes(1);
  open.mockRestore();
  await waitFor(async () => {
    await stand.ledger.refresh(now);
    return stand.column(ID, 'sample_bytes') === 4096;
  });
  expect(stand.errors).toEqual([]);
});

test('files that are kept open count together with those of figures', () => {
  for (const n of [1, 2]) {
    stand.put(idOf(n), { 'memory.current': 4096, 'pids.current': 1 });
    const run = Run.fromPartial({ containerId: idOf(n), startTime: new Date() });
    stand.ledger.record(run);
  }
  expect(stand.files.count).toBe(1);
  stand.ledger.close();
  expect(stand.files.count).toBe(0);
});

test('a run that cannot be recorded leaves no file open, however often that is tried', async () => {
  stand.put(ID, { 'memory.current': 4096, 'pids.current': 0 });
  vi.spyOn(stand.store, 'transaction').mockImplementation(() => {
    throw new Error('no room');
  });
  const ended = Run.fromPartial({ ...runFrom(new Date()), end: { exitTime: new Date() } });
  for (let round = 0; round < 3; round += 1) {
    await expect(stand.ledger.finish(ID, ended)).rejects.toThrow('no room');
  }
  expect(stand.files.count).toBe(0);
});

test('a cgroup that cannot be read keeps no other from the checkpoint', async () => {
  const [broken, whole] = [idOf(1), idOf(2)];
  for (const containerId of [broken, whole]) {
    stand.put(containerId, { 'memory.current': 4096, 'pids.current': 1 });
    stand.ledger.record(Run.fromPartial({ containerId, startTime: new Date() }));
  }
  stand.break(broken, 'cpu.stat');
  stand.put(whole, { 'cpu.stat': 'usage_usec 500' });
  await stand.ledger.refresh(now);
  expect(stand.column(whole, 'cpu_us')).toBe(500);
  expect(stand.errors).toHaveLength(1);
});
