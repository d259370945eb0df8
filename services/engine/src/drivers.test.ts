import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { teuError } from '@teu/errors';
import { silentLogger } from '@teu/log';
import { DriverOrigin, DriverRegistryServiceService, DriverState } from '@teu/proto/engine';
import { DriverAction } from '@teu/proto/event';
import { Capability, CheckSnapshotsRequest } from '@teu/proto/storage';
import { startRpcServer } from '@teu/rpc';
import { waitFor } from '@teu/testing';
import { FakeHost } from './testing/index.js';

let host: FakeHost;
beforeEach(async () => {
  host = await FakeHost.start();
  await host.startFake('other');
});
afterEach(() => host.close());

const addOther = () => host.client.addDriver('other', host.address('other'));

describe('a driver that is added', () => {
  test('is listed, told to the image service, and takes containers', async () => {
    const added = await addOther();
    expect(added).toMatchObject({
      address: { name: 'other', address: host.address('other'), snapshotter: '', namespace: '' },
      origin: DriverOrigin.DRIVER_ORIGIN_ADDED,
      isDefault: false,
      state: DriverState.DRIVER_STATE_AVAILABLE,
      stateDetail: '',
      driver: { name: 'fake' },
      containerCount: 0,
    });
    expect(added.addTime).toBeInstanceOf(Date);
    expect(host.image.drivers).toMatchObject({
      drivers: [{ name: 'overlay2' }, { name: 'other', address: host.address('other') }],
      defaultDriver: 'overlay2',
    });
    const { id, driver } = await host.client.run(['sleep'], { driver: 'other' });
    expect(driver).toBe('other');
    expect([...host.other.active.keys()]).toEqual([`container/${id}`]);
    const listed = await host.client.drivers();
    expect(listed.map((d) => [d.address?.name, d.isDefault, d.containerCount])).toEqual([
      ['overlay2', true, 0],
      ['other', false, 1],
    ]);
  });

  test('is there after a restart of the engine, and the image service is told again', async () => {
    await addOther();
    await host.stopEngine();
    host.image.drivers = undefined;
    await host.startEngine();
    await waitFor(() => host.image.drivers?.drivers.length === 2);
    expect((await host.client.run(['sleep'], { driver: 'other' })).driver).toBe('other');
  });

  test('is told to an image service that was away meanwhile', async () => {
    await host.stopFake('image');
    await addOther();
    await host.startFake('image');
    await waitFor(() => host.image.drivers?.drivers.length === 2);
  });

  test('is told at once if the image service turns out not to know it', async () => {
    await addOther();
    host.image.drivers = undefined;
    await host.client.run(['sleep'], { driver: 'other' });
  });

  test('can be added again; another one of its name or place cannot', async () => {
    const first = await addOther();
    expect((await addOther()).addTime).toEqual(first.addTime);
    const elsewhere = host.client.addDriver('other', `unix:${host.directory}/elsewhere.sock`);
    await expect(elsewhere).rejects.toMatchObject({ reason: 'DRIVER_EXISTS' });
    const alias = host.client.addDriver('alias', host.address('other'));
    await expect(alias).rejects.toMatchObject({ reason: 'DRIVER_EXISTS' });
    expect(await host.client.driverNames()).toEqual(['overlay2', 'other']);
  });

  test('must answer', async () => {
    await host.stopFake('other');
    await expect(addOther()).rejects.toMatchObject({
      reason: 'DRIVER_UNAVAILABLE',
      metadata: { driver: 'other' },
    });
    expect(await host.client.driverNames()).toEqual(['overlay2']);
  });

  test('must serve snapshots', async () => {
    const adding = host.client.addDriver('other', host.address('cgroup'));
    await expect(adding).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });

  test.each([
    ['Other', 'unix:/x.sock', {}],
    ['', 'unix:/x.sock', {}],
    ['other', '', {}],
    ['other', '/x.sock', {}],
    ['other', 'unix:x.sock', {}],
    ['other', '127.0.0.1:1', {}],
    ['other', `unix:/${'x'.repeat(107)}`, {}],
    ['other', 'unix:/x.sock', { namespace: 'a b' }],
    ['other', 'unix:/x.sock', { snapshotter: '../x' }],
  ])('may not be called %j at %j with %j', async (name, address, more) => {
    await expect(host.client.addDriver(name, address, more)).rejects.toMatchObject({
      status: 'INVALID_ARGUMENT',
    });
  });
});

describe('a foreign snapshotter', () => {
  beforeEach(async () => {
    await host.stopFake('other');
    host.other.isForeign = true;
    await host.startFake('other');
  });

  test('says nothing of itself and takes containers, in its namespace', async () => {
    const address = host.address('other');
    const more = { snapshotter: 'native', namespace: 'teu' };
    const added = await host.client.addDriver('other', address, more);
    expect(added).toMatchObject({ state: DriverState.DRIVER_STATE_AVAILABLE, driver: undefined });
    // A server of several is asked for each by its name.
    await host.client.addDriver('second', address, { ...more, snapshotter: 'overlayfs' });
    await host.client.run(['sleep'], { driver: 'other' });
    expect(host.other.lastPrepare?.snapshotter).toBe('native');
    const label = host.other.lastPrepare?.labels['containerd.io/gc.root'] ?? '';
    expect(new Date(label).toISOString()).toBe(label);
    expect([...host.other.namespaces]).toEqual(['teu']);
  });

  test('has no usage, no check and no limits, and that is said', async () => {
    await addOther();
    const request = { name: 'other' };
    const { channel } = host.client;
    const refusal = { reason: 'FEATURE_UNSUPPORTED', metadata: { driver: 'other' } };
    const usage = channel.unary(DriverRegistryServiceService.getDriverUsage, request);
    await expect(usage).rejects.toMatchObject(refusal);
    const check = channel.serverStream(DriverRegistryServiceService.checkDriver, {
      ...request,
      check: undefined,
    });
    await expect(check.next()).rejects.toMatchObject(refusal);
    const run = host.client.run(['sleep'], { driver: 'other', rootSizeBytes: 1 << 20 });
    await expect(run).rejects.toMatchObject(refusal);
  });
});

describe('a removal', () => {
  test('releases the layers first, and the driver is gone for good', async () => {
    await addOther();
    expect(await host.client.removeDriver('other')).toBe(2);
    expect(host.image.released).toEqual(['other']);
    expect(host.image.drivers?.drivers.map(({ name }) => name)).toEqual(['overlay2']);
    const run = host.client.run(['sleep'], { driver: 'other' });
    await expect(run).rejects.toMatchObject({ reason: 'DRIVER_NOT_FOUND' });
    await host.stopEngine();
    await host.startEngine();
    expect(await host.client.driverNames()).toEqual(['overlay2']);
    const actions = (await host.client.events()).flatMap(({ event }) =>
      event?.payload?.$case === 'driver' ? event.payload.value.action : [],
    );
    const { DRIVER_ACTION_ADDED, DRIVER_ACTION_REMOVED } = DriverAction;
    expect(actions).toEqual([DRIVER_ACTION_ADDED, DRIVER_ACTION_REMOVED]);
  });

  test('is refused while containers stand on it, by their names', async () => {
    await addOther();
    await host.client.create(['sleep'], { driver: 'other', name: 'web' });
    const inUse = { reason: 'DRIVER_IN_USE', metadata: { driver: 'other', containers: 'web' } };
    await expect(host.client.removeDriver('other')).rejects.toMatchObject(inUse);
    await expect(host.client.removeDriver('other', true)).rejects.toMatchObject(inUse);
    await host.client.remove('web');
    // What the container left is cleared away before, not at some time.
    await host.client.removeDriver('other');
    expect(host.other.active.size).toBe(0);
  });

  test('is refused of the default driver and of one of the configuration', async () => {
    await addOther();
    await expect(host.client.removeDriver('overlay2')).rejects.toThrow(/configuration.*--drivers/);
    await host.client.setDefaultDriver('other');
    await expect(host.client.removeDriver('other')).rejects.toThrow(/default/);
    await host.client.setDefaultDriver('overlay2');
    await host.client.removeDriver('other');
  });

  test('leaves everything as it was when layers cannot go', async () => {
    await addOther();
    host.image.releaseFailure = teuError('SNAPSHOT_IN_USE', 'a layer has a view');
    await expect(host.client.removeDriver('other')).rejects.toThrow('a layer has a view');
    expect((await host.client.run(['sleep'], { driver: 'other' })).driver).toBe('other');
  });

  test('by force needs no answer, and leaves to the driver what ended containers left', async () => {
    await addOther();
    const { id } = await host.client.create(['sleep'], { driver: 'other' });
    await host.stopFake('other');
    await host.client.remove(id);
    await expect(host.client.removeDriver('other')).rejects.toMatchObject({
      reason: 'DRIVER_UNAVAILABLE',
    });
    await host.client.removeDriver('other', true);
    expect(host.image.released).toEqual(['other by force']);
    await host.settled();
    expect([...host.other.active.keys()]).toEqual([`container/${id}`]);
  });

  test('makes room for another one of its name', async () => {
    await addOther();
    await host.client.run(['true'], { driver: 'other', autoRemove: true }, { wait: true });
    await host.client.removeDriver('other', true);
    const { calls } = host.image;
    await addOther();
    await host.client.run(['sleep'], { driver: 'other' });
    expect(host.image.calls).toBe(calls + 1);
  });

  test('of a driver that nobody knows says so', async () => {
    await expect(host.client.removeDriver('zfs')).rejects.toThrow(/there are: overlay2/);
  });
});

describe('the default driver', () => {
  test('takes what names none, also after a restart', async () => {
    await addOther();
    await host.client.setDefaultDriver('other');
    expect(host.image.drivers?.defaultDriver).toBe('other');
    expect((await host.client.run(['sleep'])).driver).toBe('other');
    await host.stopEngine();
    await host.startEngine();
    expect((await host.client.run(['sleep'])).driver).toBe('other');
    expect((await host.client.drivers()).map((d) => [d.address?.name, d.isDefault])).toEqual([
      ['other', true],
      ['overlay2', false],
    ]);
  });

  test('must be known', async () => {
    const choosing = host.client.setDefaultDriver('zfs');
    await expect(choosing).rejects.toMatchObject({ reason: 'DRIVER_NOT_FOUND' });
  });
});

describe('a limit on the layer', () => {
  const LIMIT = 64 << 20;

  test('is asked for at Prepare', async () => {
    host.driver.capabilities = [Capability.CAPABILITY_QUOTA];
    const container = await host.client.run(['sleep'], { rootSizeBytes: LIMIT });
    expect(container.spec?.rootSizeBytes).toBe(LIMIT);
    const label = { 'containerd.io/snapshot/max-size': String(LIMIT) };
    expect(host.driver.lastPrepare?.labels).toEqual(label);
  });

  test('is refused where the driver does not declare it, and if it is negative', async () => {
    const run = host.client.run(['sleep'], { rootSizeBytes: LIMIT });
    await expect(run).rejects.toMatchObject({ reason: 'FEATURE_UNSUPPORTED' });
    const negative = host.client.run(['sleep'], { rootSizeBytes: -1 });
    await expect(negative).rejects.toMatchObject({ metadata: { field: 'spec.root_size_bytes' } });
    expect(host.holdings()).toEqual({ snapshots: [], cgroups: [], processes: [] });
  });
});

describe('a check', () => {
  const check = (signal: AbortSignal) =>
    host.client.channel.serverStream(
      DriverRegistryServiceService.checkDriver,
      { name: 'overlay2', check: CheckSnapshotsRequest.create() },
      { signal },
    );

  test('goes at the pace of its reader, and ends with it', async () => {
    host.driver.findings = 1_000_000;
    const ending = new AbortController();
    const findings = check(ending.signal);
    await findings.next();
    // What is not read is held up: the driver cannot be far ahead.
    const { sent } = await settledCount();
    expect(sent).toBeLessThan(10_000);
    ending.abort();
    await expect(Array.fromAsync(findings)).rejects.toMatchObject({ reason: 'CANCELLED' });
    await settledCount();
  });

  test('ends with what the driver says in the end', async () => {
    host.driver.findings = 3;
    const parts = await Array.fromAsync(check(new AbortController().signal));
    expect(parts.map(({ check: part }) => part?.part?.$case)).toEqual([
      ...Array.from({ length: 3 }, () => 'finding'),
      'summary',
    ]);
  });

  /** Waits until the driver sends no more. */
  async function settledCount(): Promise<{ sent: number }> {
    let sent = -1;
    await waitFor(
      () => {
        const before = sent;
        ({ sent } = host.driver);
        return sent === before;
      },
      { intervalMs: 100 },
    );
    return { sent };
  }
});

test('a server that was started at the place of a driver is asked at once', async () => {
  await addOther();
  await host.stopFake('other');
  expect((await host.client.drivers())[1]).toMatchObject({
    state: DriverState.DRIVER_STATE_UNAVAILABLE,
    stateDetail: 'the storage driver other cannot be reached',
  });
  const address = host.address('other');
  const options = { name: 'other', version: '0', address, log: silentLogger };
  const server = await startRpcServer({ ...options, services: host.other.services });
  expect((await host.client.drivers())[1]?.state).toBe(DriverState.DRIVER_STATE_AVAILABLE);
  await server.close();
});
