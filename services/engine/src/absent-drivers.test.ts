import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ContainerState, DriverState } from '@teu/proto/engine';
import { waitFor } from '@teu/testing';
import { FakeHost } from './testing/index.js';

// A driver that hangs or is away harms what stands on it and nothing else. What waits for a deadline takes some
// seconds; that others do not wait is told by who is done first, not by a clock.
let host: FakeHost;
let web: string;

/** An engine with two drivers, and a container on the one that will be in trouble. */
async function startHost(warmStarts = 0): Promise<void> {
  host = await FakeHost.withoutEngine();
  host.warmStarts = warmStarts;
  await host.startEngine();
  await host.startFake('other');
  await host.client.addDriver('other', host.address('other'));
  web = (await host.client.run(['sleep'], { driver: 'other', name: 'web' })).id;
  await waitFor(() => host.engine.engine.images.isTold);
}
afterEach(() => host.close());

/** Every verb on the driver that is in order. */
async function everythingElse(): Promise<void> {
  const { client } = host;
  const { id } = await client.run(['sleep']);
  expect((await client.get(id)).driver).toBe('overlay2');
  const ids = (await client.list({ all: true })).containers.map((container) => container.id);
  expect(ids).toEqual(expect.arrayContaining([id, web]));
  await client.exec(id, ['true'], false);
  await client.stop(id, 20);
  await client.start(id);
  await client.remove(id, true);
  expect((await client.run(['true'], {}, { wait: true })).exit?.exitCode).toBe(0);
  await host.image.put('busybox', 'sha256:layer', { cmd: ['sleep'] });
  for (const { id: left, driver } of (await client.list({ all: true })).containers) {
    if (driver === 'overlay2') await client.remove(left, true);
  }
}

const unavailable = { reason: 'DRIVER_UNAVAILABLE', metadata: { driver: 'other' } };
const onOther = { driver: 'other' };

describe('while a driver hangs', { timeout: 60_000 }, () => {
  beforeEach(async () => {
    await startHost();
    host.other.hang();
  });

  test('others go on, and requests for it cost one deadline or nothing', async () => {
    let isDone = false;
    const waiting = host.client.run(['sleep'], onOther).finally(() => (isDone = true));
    waiting.catch(() => undefined);
    await everythingElse();
    expect(isDone).toBe(false);
    await expect(waiting).rejects.toMatchObject(unavailable);
    // One at most finds out whether it answers again; that costs it another deadline, and the other one nothing.
    const next = await Promise.allSettled([1, 2].map(() => host.client.run(['sleep'], onOther)));
    const told = next.map((run) => (run.status === 'rejected' ? String(run.reason) : 'it runs'));
    expect(told.filter((text) => text.includes('a moment ago')).length).toBeGreaterThan(0);
    expect(told).not.toContain('it runs');
    await expect(host.client.create(['sleep'], onOther)).rejects.toMatchObject(unavailable);
    await everythingElse();
    host.other.goOn();
    await host.settled();
    expect(host.holdings()['snapshots']).toEqual([]);
    expect([...host.other.active.keys()]).toEqual([`container/${web}`]);
  });

  test('its containers are seen, stopped and removed, and it is cleared up later', async () => {
    expect((await host.client.get(web)).state).toBe(ContainerState.CONTAINER_STATE_RUNNING);
    expect((await host.client.exec('web', ['true'], false)).pid).toBeGreaterThan(0);
    await host.client.stop('web', 20);
    await host.client.remove('web');
    expect((await host.client.list({ all: true })).containers).toEqual([]);
    expect(host.other.active.size).toBe(1);
    host.other.goOn();
    await host.settled();
    expect(host.other.active.size).toBe(0);
  });

  test('the list says so, beside the others', async () => {
    const states = (await host.client.drivers()).map(({ state, stateDetail }) => [
      state,
      stateDetail.replace(/[\d.]+ s/, 'N s'),
    ]);
    expect(states).toEqual([
      [DriverState.DRIVER_STATE_AVAILABLE, ''],
      [DriverState.DRIVER_STATE_UNAVAILABLE, 'the storage driver other gave no answer in N s'],
    ]);
  });

  test('the engine stops and starts', async () => {
    await host.client.stop('web', 20);
    await host.client.remove('web');
    await host.stopEngine();
    await host.startEngine();
    expect((await host.client.run(['true'], {}, { wait: true })).exit?.exitCode).toBe(0);
    host.other.goOn();
    await host.settled();
    expect(host.other.active.size).toBe(0);
  });
});

describe('while a driver is away', { timeout: 60_000 }, () => {
  beforeEach(async () => {
    await startHost();
    await host.stopFake('other');
  });

  test('others go on, and its containers are stopped and removed', async () => {
    await expect(host.client.run(['sleep'], onOther)).rejects.toMatchObject(unavailable);
    await everythingElse();
    await host.client.stop('web', 20);
    await expect(host.client.start('web')).rejects.toMatchObject(unavailable);
    await host.client.remove('web');
    await host.startFake('other');
    await host.settled();
    expect(host.other.active.size).toBe(0);
  });

  test('a restart of it in the middle of a run is not noticed', async () => {
    const running = host.client.run(['sleep'], onOther);
    await host.startFake('other');
    expect((await running).driver).toBe('other');
  });
});

describe('starts that were made in advance', { timeout: 60_000 }, () => {
  beforeEach(async () => {
    await startHost(2);
    await host.client.run(['true'], { ...onOther, autoRemove: true }, { wait: true });
    await waitFor(() => host.engine.engine.pool.readyCount === 2);
    await host.settled();
  });
  const starts = () => host.engine.engine.pool.readyCount;

  test('are given up when their driver hangs', async () => {
    host.other.hang();
    await host.client.stop('web', 20);
    await expect(host.client.start('web')).rejects.toMatchObject(unavailable);
    await waitFor(() => starts() === 0);
    // Nor are new ones begun.
    await expect(host.client.run(['sleep'], onOther)).rejects.toMatchObject(unavailable);
    host.other.goOn();
    await host.settled();
    expect([...host.other.active.keys()]).toEqual([`container/${web}`]);
  });

  test('do not keep the image service waiting though their driver hangs', async () => {
    host.other.hang();
    // Resolves when the engine has acknowledged, or was cut off.
    await host.image.delete('busybox');
    expect([starts(), host.image.watchers, host.engine.engine.images.isTold]).toEqual([0, 1, true]);
    host.other.goOn();
    await host.settled();
  });

  test('are gone before their driver is', async () => {
    await host.client.remove('web', true);
    await host.client.removeDriver('other');
    expect([starts(), host.other.active.size]).toEqual([0, 0]);
  });

  test('are not used by a run with a limit on its layer', async () => {
    host.other.capabilities = [4];
    const { startTrace } = await host.client.run(['sleep'], { ...onOther, rootSizeBytes: 1 << 20 });
    expect(startTrace?.phases.map(({ name }) => name)).toContain('prepare');
    expect(host.other.lastPrepare?.labels).not.toEqual({});
  });
});
