import { afterEach, beforeEach, expect, test } from 'vitest';
import { ContainerState, NetworkMode } from '@teu/proto/engine';
import { teuError } from '@teu/errors';
import { waitFor } from '@teu/testing';
import { FakeHost } from './testing/index.js';

const NOTHING = { snapshots: [], cgroups: [], processes: [] };
let host: FakeHost;
beforeEach(async () => {
  host = await FakeHost.withoutEngine();
  host.warmStarts = 2;
  await host.startEngine();
  await waitFor(() => host.engine.engine.images.isTold);
});
afterEach(() => host.close());

const ready = () => host.engine.engine.pool.readyCount;

/** Runs a container so that the image is in use, and waits until starts are ready. */
async function warmUp(): Promise<void> {
  await host.client.run(['true'], { autoRemove: true }, { wait: true });
  await waitFor(() => ready() === 2);
  await host.settled();
}

test('a run on a start that was made in advance only launches', async () => {
  await warmUp();
  const { calls } = host.image;
  const layers = [...host.driver.active.keys()];
  const container = await host.client.run(['sleep'], { name: 'web', env: ['A=b'] });
  expect(container.startTrace?.phases.map(({ name }) => name)).toEqual([
    'files',
    'launch',
    'launch.clone',
  ]);
  expect(host.image.calls).toBe(calls);
  expect(layers).toContain(container.snapshotKey);
  expect(host.executor.specs.get(container.id)?.hostname).toBe(container.id.slice(0, 12));
  expect(await host.client.actions(container.id)).toEqual(['CREATED', 'STARTED']);
  expect((await host.client.list()).containers).toEqual([container]);
  await waitFor(() => ready() === 2);
  await host.client.stop('web');
  expect((await host.client.start('web')).state).toBe(ContainerState.CONTAINER_STATE_RUNNING);
});

test('a program that ends at once is recorded with all that happened', async () => {
  await warmUp();
  const { id, exit } = await host.client.run(['exit', '3'], {}, { wait: true });
  expect(exit?.exitCode).toBe(3);
  expect(await host.client.actions(id)).toEqual(['CREATED', 'STARTED', 'EXITED']);
  expect(await host.client.get(id)).toMatchObject({
    id,
    lastSequence: expect.any(Number) as number,
  });
  await waitFor(() => ready() === 2);
  const gone = await host.client.run(['true'], { autoRemove: true }, { wait: true });
  expect(await host.client.actions(gone.id)).toEqual(['CREATED', 'STARTED', 'EXITED', 'REMOVED']);
  await expect(host.client.get(gone.id)).rejects.toMatchObject({ reason: 'CONTAINER_NOT_FOUND' });
});

test('a failure leaves nothing but its story, and the name is free', async () => {
  await warmUp();
  const failed = host.client.run(['missing'], { name: 'web' });
  await expect(failed).rejects.toMatchObject({ reason: 'PROGRAM_NOT_FOUND' });
  expect((await host.client.list({ all: true })).containers).toEqual([]);
  expect((await host.client.run(['true'], { name: 'web' })).name).toBe('web');
});

test('one name is one container, also before it is recorded', async () => {
  await warmUp();
  const both = await Promise.allSettled([
    host.client.run(['sleep'], { name: 'web' }),
    host.client.run(['sleep'], { name: 'web' }),
  ]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('limits and host names of their own are in force', async () => {
  await warmUp();
  const resources = { memory: { limit: 64 << 20 } };
  const limited = await host.client.run(['sleep'], { resources });
  expect(host.cgroup.groups.get(limited.id)).toContain('memory');
  const named = await host.client.run(['sleep'], { hostname: 'box' });
  expect(host.executor.specs.get(named.id)?.hostname).toBe('box');
});

test('what was made in advance and does not serve is made anew', async () => {
  await warmUp();
  let failures = 1;
  host.executor.onLaunch = ({ containerId }) => {
    if (failures === 0) return;
    failures -= 1;
    host.executor.processes.delete(`${containerId}/`);
    throw teuError('LAUNCH_FAILED', 'step cgroup: ENOENT');
  };
  const { id } = await host.client.run(['sleep'], { name: 'web' });
  expect(failures).toBe(0);
  expect((await host.client.get('web')).id).toBe(id);
  await waitFor(() => ready() === 2);
  await host.client.remove('web', true);
});

test('an executor that has lost what it made is asked to launch anew', async () => {
  await warmUp();
  host.executor.prepared.clear();
  const { id } = await host.client.run(['sleep'], { name: 'web' });
  expect((await host.client.get('web')).id).toBe(id);
  expect(host.executor.find({ containerId: id, execId: '' })).toBeDefined();
});

test.each([{ terminal: true }, { stdinOpen: true }, { network: NetworkMode.NETWORK_MODE_HOST }])(
  'a run with %j is launched from the beginning',
  async (wanted) => {
    await warmUp();
    const { id } = await host.client.run(['sleep'], wanted);
    expect(host.executor.specs.get(id)?.process?.args).toContain('sleep');
    expect(ready()).toBe(2);
  },
);

test('an image can be removed at once, and a name that moved is followed', async () => {
  await warmUp();
  host.driver.committed.add('sha256:newer');
  await host.image.put('busybox', 'sha256:newer', { cmd: ['sleep'] });
  const { id } = await host.client.run(['sleep']);
  expect(host.driver.active.get(`container/${id}`)).toBe('sha256:newer');
  await waitFor(() => ready() === 4);
  await host.image.delete('busybox');
  const parents = [...host.driver.active].filter(([key]) => key !== `container/${id}`);
  expect(parents.every(([, parent]) => parent === 'sha256:layer')).toBe(true);
  await expect(host.client.run(['true'])).rejects.toMatchObject({ reason: 'IMAGE_NOT_FOUND' });
});

test('nothing is left when the engine or the image service ends', async () => {
  await warmUp();
  await host.stopFake('image');
  await waitFor(() => ready() === 0 && host.driver.active.size === 0);
  await host.startFake('image');
  await waitFor(() => host.engine.engine.images.isTold);
  await warmUp();
  await host.stopEngine();
  expect(host.holdings()).toEqual(NOTHING);
});
