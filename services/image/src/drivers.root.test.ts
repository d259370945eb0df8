import { join } from 'node:path';
import { ImageServiceService } from '@teu/proto/image';
import { SnapshotsService } from '@teu/proto/snapshots';
import { DriverAddress } from '@teu/proto/storage';
import { requires, startService, waitFor, type RunningTestService } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chainIds } from './domain/chain-id.js';
import { digestOf } from './domain/digest.js';
import { DRIVER, snapshotNames, startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, dockerFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';

// Images in two drivers, each a process of its own; one of them hangs (SIGSTOP) or is away.
const LAYERS = [
  makeTar({ name: 'etc/', type: '5' }, { name: 'etc/base', data: 'base' }),
  makeTar({ name: 'etc/top', data: 'top' }),
];
const ORDERED = chainIds(LAYERS.map(digestOf));
const CHAIN = [...ORDERED].sort();

let stand: ImageStand;
let second: RunningTestService;
let path: string;

const startSecond = (): Promise<RunningTestService> =>
  startService(DRIVER, {
    runDir: join(stand.directory, 'second-run'),
    dataDir: join(stand.directory, 'second-data'),
  });

beforeEach(async () => {
  requires('root', 'overlayfs');
  stand = await startImageStand();
  second = await startSecond();
  path = stand.file('a', archiveTar(dockerFiles({ layers: LAYERS })));
  await tell([DRIVER, stand.driver.address], ['second', second.address]);
});
afterEach(async () => {
  second.kill('SIGCONT');
  await second.stop();
  await stand.stop();
});

async function tell(...drivers: [name: string, address: string][]): Promise<void> {
  await stand.service.channel.unary(ImageServiceService.setDrivers, {
    drivers: drivers.map(([name, address]) => DriverAddress.create({ name, address })),
    defaultDriver: drivers[0]?.[0] ?? '',
  });
}

const release = (name: string, force = false): Promise<{ layerCount: number }> =>
  stand.service.channel.unary(ImageServiceService.releaseDriver, { name, force });

/** Waits for what nobody waits for. */
const becomes = (names: string[], driver: () => RunningTestService = () => second) =>
  waitFor(
    async () => {
      expect(await snapshotNames(driver())).toEqual(names);
      return true;
    },
    { timeoutMs: 20_000 },
  );

describe('drivers that are told', () => {
  it('are known after a restart, and one that is not is refused by name', async () => {
    stand.service.kill('SIGTERM');
    await stand.restart();
    await stand.load({ path, reference: 'app', driver: 'second' });
    expect(await snapshotNames(second)).toEqual(CHAIN);
    await expect(stand.prepare('app', 'zfs')).rejects.toMatchObject({
      reason: 'DRIVER_NOT_FOUND',
      message: `there is no storage driver "zfs"; there are: ${DRIVER}, second`,
    });
  });

  it('replace those before, and the default one takes what names none', async () => {
    await tell(['second', second.address]);
    await stand.load({ path, reference: 'app' });
    expect([await stand.snapshots(), await snapshotNames(second)]).toEqual([[], CHAIN]);
    const unknown = { reason: 'DRIVER_NOT_FOUND' };
    await expect(stand.prepare('app', DRIVER)).rejects.toMatchObject(unknown);
  });

  it('are refused if the list makes no sense', async () => {
    const { address } = second;
    await expect(tell(['a', address], ['a', address])).rejects.toThrow(/twice/);
    await expect(tell(['../a', address])).rejects.toMatchObject({ status: 'INVALID_ARGUMENT' });
    await expect(tell(['a', 'nowhere'])).rejects.toMatchObject({ status: 'INVALID_ARGUMENT' });
    await stand.load({ path, reference: 'app' });
  });
});

describe('an image in one driver', () => {
  it('is unpacked into another from its blobs when it is needed there', async () => {
    await stand.load({ path, reference: 'app' });
    expect(await snapshotNames(second)).toEqual([]);
    const prepared = await stand.prepare('app', 'second');
    expect(prepared).toMatchObject({ driver: 'second', snapshot: ORDERED[1] });
    expect(await snapshotNames(second)).toEqual(CHAIN);
    // It leaves both with the image.
    await stand.remove('app');
    expect([await stand.snapshots(), await snapshotNames(second)]).toEqual([[], []]);
  });

  it('is unpacked again into another driver of the same name', async () => {
    await stand.load({ path, reference: 'app' });
    await stand.prepare('app', 'second');
    await second.stop();
    const other = join(stand.directory, 'third-run');
    second = await startService(DRIVER, { runDir: other, dataDir: join(other, 'data') });
    await tell([DRIVER, stand.driver.address], ['second', second.address]);
    await stand.prepare('app', 'second');
    expect(await snapshotNames(second)).toEqual(CHAIN);
  });
});

describe('a driver that is released', () => {
  beforeEach(async () => {
    await stand.load({ path, reference: 'app' });
    await stand.prepare('app', 'second');
  });

  it('loses all layers, and the images stay', async () => {
    expect(await release('second')).toEqual({ layerCount: 2 });
    expect([await stand.snapshots(), await snapshotNames(second)]).toEqual([CHAIN, []]);
    await stand.prepare('app', 'second');
    expect(await snapshotNames(second)).toEqual(CHAIN);
  });

  it('keeps a layer that something stands on, which is named', async () => {
    const view = { snapshotter: DRIVER, key: 'view/one', parent: ORDERED[1] ?? '', labels: {} };
    await second.channel.unary(SnapshotsService.view, view);
    await expect(release('second')).rejects.toMatchObject({
      reason: 'SNAPSHOT_IN_USE',
      metadata: { driver: 'second', snapshot: ORDERED[1], images: 'app:latest' },
    });
    expect((await stand.prepare('app', 'second')).snapshot).toBe(ORDERED[1]);
  });

  it('by force need not answer, and keeps what it has', async () => {
    second.kill('SIGSTOP');
    expect(await release('second', true)).toEqual({ layerCount: 2 });
    second.kill('SIGCONT');
    await tell([DRIVER, stand.driver.address]);
    await stand.remove('app');
    expect(await snapshotNames(second)).toEqual(CHAIN);
  });
});

describe('while a driver hangs', { timeout: 60_000 }, () => {
  it('images are loaded, prepared, listed and removed in others', async () => {
    await stand.load({ path, reference: 'app' });
    second.kill('SIGSTOP');
    let isDone = false;
    const waiting = stand.prepare('app', 'second').finally(() => (isDone = true));
    waiting.catch(() => undefined);
    const layer = makeTar({ name: 'more', data: 'x' });
    const more = stand.file('b', archiveTar(dockerFiles({ layers: [layer] })));
    await stand.load({ path: more, reference: 'more' });
    await stand.prepare('more');
    expect(await stand.list()).toHaveLength(2);
    expect((await stand.remove('more')).untagged).toEqual(['more:latest']);
    expect(isDone).toBe(false);
    await expect(waiting).rejects.toMatchObject({
      reason: 'DRIVER_UNAVAILABLE',
      metadata: { driver: 'second' },
    });
  });

  it('a load into it fails, and what it left goes when the driver is back', async () => {
    second.kill('SIGSTOP');
    const loading = stand.load({ path, reference: 'app', driver: 'second' });
    await expect(loading).rejects.toMatchObject({ reason: 'DRIVER_UNAVAILABLE' });
    expect(stand.stored()).toEqual({ blobs: [], staging: [] });
    second.kill('SIGCONT');
    // It is asked again after a short rest.
    await waitFor(() =>
      stand.load({ path, reference: 'app', driver: 'second' }).then(
        () => true,
        () => false,
      ),
    );
    await becomes(CHAIN);
  });

  it('an image with layers in it is removed by force only, and they go later', async () => {
    await stand.load({ path, reference: 'app' });
    await stand.prepare('app', 'second');
    second.kill('SIGSTOP');
    await expect(stand.remove('app')).rejects.toMatchObject({
      reason: 'DRIVER_UNAVAILABLE',
      metadata: { driver: 'second' },
    });
    expect([await stand.snapshots(), (await stand.list()).length]).toEqual([CHAIN, 1]);
    await stand.remove('app', true);
    expect([await stand.list(), await stand.snapshots(), stand.stored().blobs]).toEqual([
      [],
      [],
      [],
    ]);
    second.kill('SIGCONT');
    await becomes([]);
  });
});

describe('while a driver is away', { timeout: 60_000 }, () => {
  it('the service starts, clears up elsewhere, and there when the driver is back', async () => {
    await stand.load({ path, reference: 'app' });
    await stand.prepare('app', 'second');
    // A load into the first driver and one into the second are broken off.
    for (const driver of [DRIVER, 'second']) {
      stand.service.kill('SIGTERM');
      await stand.restart({ TEU_FAILPOINTS: 'image.extract.after-prepare=kill' });
      const other = makeTar({ name: `of-${driver}`, data: 'x' });
      const more = stand.file('b', archiveTar(dockerFiles({ layers: [other] })));
      await expect(stand.load({ path: more, reference: 'more', driver })).rejects.toThrow();
      if (driver === 'second') await second.stop();
      await stand.restart();
    }
    await becomes(CHAIN, () => stand.driver);
    await stand.remove('app', true);
    await becomes([], () => stand.driver);
    second = await startSecond();
    await becomes([]);
  });

  it('what it holds waits for it also when it is not told any more', async () => {
    await stand.load({ path, reference: 'app' });
    await stand.prepare('app', 'second');
    await tell([DRIVER, stand.driver.address]);
    await stand.remove('app');
    expect(await snapshotNames(second)).toEqual(CHAIN);
    await tell([DRIVER, stand.driver.address], ['second', second.address]);
    await becomes([]);
  });
});
