import { mkdirSync } from 'node:fs';
import { ImageServiceService } from '@teu/proto/image';
import { SnapshotsService } from '@teu/proto/snapshots';
import { DriverAddress } from '@teu/proto/storage';
import { loopFilesystem, requires, waitFor } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IMAGE_FAILPOINTS } from './failpoints.js';
import { DRIVER, startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, dockerFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';
import { compare, prepareSnapshot, transplant } from './testing/tree-calls.js';

const OLD = [makeTar({ name: 'one', data: 'old' }), makeTar({ name: 'two', data: '2' })];
const NEW = [makeTar({ name: 'one', data: 'new' }), makeTar({ name: 'two', data: '2' })];

let stand: ImageStand;
let oldTop: string;
let newTop: string;

const top = async (name: string, layers: Buffer[]): Promise<string> => {
  const path = stand.file(name, archiveTar(dockerFiles({ layers })));
  await stand.load({ path, reference: name });
  return (await stand.prepare(name)).snapshot;
};

beforeEach(async () => {
  requires('root', 'overlayfs');
  stand = await startImageStand();
  oldTop = await top('old', OLD);
  newTop = await top('new', NEW);
  await prepareSnapshot(stand, 'box', oldTop);
  await stand.runIn('box', 'echo own > own');
});
afterEach(() => stand.stop());

const request = () => ({
  ...{ key: 'box', parent: oldTop, targetKey: 'box-2', targetParent: newTop },
});
const of = (part: string): string[] => IMAGE_FAILPOINTS.filter((name) => name.startsWith(part));
const becomes = (names: string[]) =>
  waitFor(async () => {
    expect(await stand.snapshots()).toEqual(names);
    return true;
  });

async function restartArmed(failpoint: string, action: string): Promise<void> {
  stand.service.kill('SIGTERM');
  await stand.restart({ TEU_FAILPOINTS: `${failpoint}=${action}` });
}

describe('kill -9 of a transplant', { timeout: 60_000 }, () => {
  it.each([...of('image.transplant.'), ...of('image.look.')])('at %s', async (failpoint) => {
    const before = await stand.snapshots();
    await restartArmed(failpoint, 'kill');
    await expect(transplant(stand, request())).rejects.toThrow();
    expect((await stand.service.exited).signal).toBe('SIGKILL');
    await stand.restart();
    // At once, while what was left may still be there: the new one must not go with it.
    expect(await transplant(stand, request())).toBe(1);
    await becomes([...before, 'box-2'].sort());
    expect(await stand.runIn('box-2', 'cat one own')).toBe('newown\n');
  });
});

describe('kill -9 of a comparison', () => {
  it.each(of('image.look.'))('at %s leaves no view', async (failpoint) => {
    const before = await stand.snapshots();
    await restartArmed(failpoint, 'kill');
    await expect(compare(stand, oldTop, 'box')).rejects.toThrow();
    await stand.restart();
    await becomes(before);
  });
});

describe('an error in a transplant', () => {
  it.each([...of('image.transplant.'), ...of('image.look.')])(
    'at %s leaves nothing',
    async (failpoint) => {
      const before = await stand.snapshots();
      await restartArmed(failpoint, 'error');
      await expect(transplant(stand, request())).rejects.toThrow();
      expect(await stand.snapshots()).toEqual(before);
    },
  );

  it('that is a full disk leaves nothing, and the next one that fits is made', async () => {
    const disk = await loopFilesystem(24 * 2 ** 20);
    try {
      await stand.driver.stop();
      await stand.stop();
      mkdirSync(`${disk.path}/d`);
      stand = await startImageStand({ dataDir: `${disk.path}/d` });
      oldTop = await top('old', OLD);
      newTop = await top('new', NEW);
      await prepareSnapshot(stand, 'box', oldTop);
      await stand.runIn('box', 'head -c 14M /dev/urandom > large');
      const before = await stand.snapshots();
      await expect(transplant(stand, request())).rejects.toMatchObject({
        reason: 'STORAGE_FULL',
        metadata: { entry: '/large' },
      });
      expect(await stand.snapshots()).toEqual(before);
      await stand.runIn('box', 'truncate -s 1M large');
      expect(await transplant(stand, request())).toBe(1);
      await stand.stop();
    } finally {
      disk.remove();
    }
  });
});

describe('a driver that is away', () => {
  it('gets rid of what was left in it when it is back', { timeout: 60_000 }, async () => {
    const before = await stand.snapshots();
    await restartArmed('image.transplant.after-prepare', 'kill');
    await expect(transplant(stand, request())).rejects.toThrow();
    const address = DriverAddress.create({ name: DRIVER, address: stand.driver.address });
    stand.driver.kill('SIGSTOP');
    await stand.restart();
    stand.driver.kill('SIGCONT');
    const drivers = { drivers: [address], defaultDriver: DRIVER };
    await stand.service.channel.unary(ImageServiceService.setDrivers, drivers);
    await becomes(before);
    const stat = stand.driver.channel.unary(SnapshotsService.stat, {
      ...{ snapshotter: DRIVER, key: 'box-2' },
    });
    await expect(stat).rejects.toMatchObject({ reason: 'SNAPSHOT_NOT_FOUND' });
  });
});
