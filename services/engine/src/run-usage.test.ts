import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { teuError } from '@teu/errors';
import type { Run } from '@teu/proto/cgroup';
import { EngineServiceService } from '@teu/proto/engine';
import type { Duration } from '@teu/proto/google';
import { waitFor } from '@teu/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeHost } from './testing/index.js';

// What the engine says to the usage ledger: each run as it begins, and with its end as its cgroup goes.
let host: FakeHost;
beforeEach(async () => {
  host = await FakeHost.withoutEngine();
});
afterEach(() => host.close());

const begun = (id: string): Run[] => host.cgroup.begun.filter((run) => run.containerId === id);
const ended = (id: string): Run[] => host.cgroup.ended.filter((run) => run.containerId === id);
const settleUsage = async (timeoutDuration?: Duration): Promise<number> => {
  const request = { timeoutDuration };
  const channel = host.client.channel;
  return (await channel.unary(EngineServiceService.settleUsage, request)).pendingCount;
};
const program = (containerId: string) => host.executor.find({ containerId, execId: '' })!;

test('each run of a container is told of with what is known of it', async () => {
  await host.startEngine();
  const spec = { name: 'web', labels: { customer: 'acme' } };
  const container = await host.client.run(['sleep'], spec);
  const { id, imageId, createTime, startTime, startTrace } = container;
  await waitFor(() => begun(id).length === 1);
  const told = {
    ...{ containerId: id, name: 'web', image: 'busybox', imageId, group: '' },
    ...{ labels: { customer: 'acme' }, createTime, startTime, phases: startTrace?.phases },
  };
  expect(begun(id)).toEqual([{ ...told, end: undefined }]);
  program(id).end(3);
  const exit = await host.client.wait(id);
  await host.settled();
  const { exitTime } = exit;
  expect(ended(id)).toEqual([{ ...told, end: { exitTime, exitCode: 3, signal: 0, error: '' } }]);

  const again = await host.client.start('web');
  expect(again.startTime).not.toEqual(startTime);
  await waitFor(() => begun(id).length === 2);
  await host.client.remove('web', true);
  await host.settled();
  const last = ended(id).slice(1);
  expect(last.length).toBeGreaterThanOrEqual(1);
  for (const run of last) {
    expect(run).toMatchObject({ startTime: again.startTime, end: { exitCode: 137, signal: 9 } });
  }
});

test('a container that removes itself leaves its run', async () => {
  await host.startEngine();
  const spec = { autoRemove: true };
  const { id } = await host.client.run(['exit', '4'], spec, { wait: true });
  await host.settled();
  expect(ended(id)).toMatchObject([{ end: { exitCode: 4 } }]);
});

test('no run is told of where no program ran', async () => {
  host.warmStarts = 2;
  await host.startEngine();
  await waitFor(() => host.engine.engine.images.isTold);
  await host.client.create(['sleep'], { name: 'created' });
  await host.client.remove('created');
  const { id } = await host.client.run(['true'], {}, { wait: true });
  await waitFor(() => host.engine.engine.pool.readyCount === 2);
  await host.stopEngine();
  await waitFor(() => host.cgroup.groups.size === 0);
  expect(new Set(host.cgroup.ended.map(({ containerId }) => containerId))).toEqual(new Set([id]));
});

test('a ledger that is away is told later, and a start does not wait for it', async () => {
  await host.startEngine();
  let refusals = 0;
  host.cgroup.onRecord = () => {
    refusals += 1;
    throw teuError('STORAGE_FULL', 'no room');
  };
  const { id } = await host.client.run(['sleep']);
  await waitFor(() => refusals > 1);
  expect(begun(id)).toEqual([]);
  host.cgroup.onRecord = () => undefined;
  await waitFor(() => begun(id).length === 1);
});

test('a run that ends before the ledger heard of it is told of by its end alone', async () => {
  await host.startEngine();
  host.cgroup.onRecord = () => {
    throw teuError('STORAGE_FULL', 'no room');
  };
  const { id } = await host.client.run(['sleep']);
  program(id).end(0);
  await host.client.wait(id);
  await host.settled();
  expect([begun(id).length, ended(id).length]).toEqual([0, 1]);
});

test('a restarted engine tells again of what runs', async () => {
  await host.startEngine();
  const { id } = await host.client.run(['sleep'], { name: 'web' });
  await host.client.run(['true'], {}, { wait: true });
  await waitFor(() => begun(id).length === 1);
  await host.stopEngine();
  await host.startEngine();
  await waitFor(() => begun(id).length === 2);
  expect(begun(id)[0]).toEqual(begun(id)[1]);
});

test('after a restart of the host runs end as unknown', async () => {
  await host.startEngine();
  const { id } = await host.client.run(['sleep']);
  await host.stopEngine();
  const database = new DatabaseSync(join(host.dataDir, 'engine', 'state.db'));
  database.exec(`UPDATE containers SET boot_id = 'another'`);
  database.close();
  await host.startEngine();
  await host.settled();
  expect(ended(id)).toMatchObject([{ end: { exitCode: 255, error: 'the host restarted' } }]);
});

test('a removal right after the end has the run with it', async () => {
  await host.startEngine();
  const { id } = await host.client.run(['sleep'], { name: 'web' });
  program(id).end(5);
  await host.client.wait(id);
  await host.client.remove('web');
  await host.settled();
  expect(ended(id)[0]?.end?.exitCode).toBe(5);
  expect(new Set(ended(id).map(({ startTime }) => startTime?.getTime())).size).toBe(1);
});

test('who reads the output slowly does not hold the run back from the ledger', async () => {
  await host.startEngine();
  const { id } = await host.client.run(['sleep'], { autoRemove: true });
  const close = host.engine.engine.readers.open(id);
  program(id).end(0);
  await waitFor(() => ended(id).length === 1);
  expect(await settleUsage()).toBe(0);
  expect(program(id)).toBeDefined();
  close();
  await host.settled();
  expect(host.executor.find({ containerId: id, execId: '' })).toBeUndefined();
});

test('usage is settled when every run that had ended is on record', async () => {
  await host.startEngine();
  let makeRoom = (): void => undefined;
  const room = new Promise<void>((resolve) => {
    makeRoom = resolve;
  });
  host.cgroup.onDelete = () => room;
  const { id } = await host.client.run(['true'], { autoRemove: true }, { wait: true });
  expect(await settleUsage({ seconds: 0, nanos: 50_000_000 })).toBe(1);
  const settled = settleUsage({ seconds: 20, nanos: 0 });
  makeRoom();
  expect(await settled).toBe(0);
  expect(ended(id)).toHaveLength(1);
  await expect(settleUsage({ seconds: 31, nanos: 0 })).rejects.toMatchObject({
    ...{ reason: 'INVALID_ARGUMENT', metadata: { field: 'timeout_duration' } },
  });
});
