import { readdirSync, readFileSync } from 'node:fs';
import { requires, waitFor } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chainIds } from './domain/chain-id.js';
import { digestOf } from './domain/digest.js';
import { IMAGE_FAILPOINTS } from './failpoints.js';
import { download, save } from './testing/archive-calls.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, dockerFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';

const LAYERS = [
  makeTar({ name: 'etc/', type: '5' }, { name: 'etc/base', data: 'base' }),
  // It has its directory, so that it is unpacked beside the other.
  makeTar({ name: 'etc/', type: '5' }, { name: 'etc/top', data: 'top' }),
];
const CHAIN = chainIds(LAYERS.map(digestOf)).sort();

let stand: ImageStand;
let path: string;

beforeEach(async () => {
  requires('root', 'overlayfs');
  stand = await startImageStand();
  path = stand.file('a', archiveTar(dockerFiles({ layers: LAYERS })));
});

afterEach(async () => {
  await stand.stop();
});

const of = (part: string): string[] =>
  IMAGE_FAILPOINTS.filter((name) => part.split(' ').some((word) => name.startsWith(word)));

async function restartArmed(failpoint: string): Promise<void> {
  stand.service.kill('SIGTERM');
  await stand.restart({ TEU_FAILPOINTS: `${failpoint}=kill` });
}

/** Everything of an image, or nothing of it: what must be true after any crash. */
async function expectWhole(loaded: boolean): Promise<void> {
  await waitFor(
    async () => {
      expect(await stand.snapshots()).toEqual(loaded ? CHAIN : []);
      expect(stand.stored()).toMatchObject({ staging: [] });
      expect(stand.stored().blobs).toHaveLength(loaded ? 4 : 0);
      return true;
    },
    { what: 'recovery' },
  );
  expect((await stand.list()).map(({ references }) => references)).toEqual(
    loaded ? [['app:latest']] : [],
  );
  if (!loaded) return;
  const { snapshot } = await stand.prepare('app');
  expect(await stand.look(snapshot, 'cat etc/base etc/top')).toBe('basetop');
}

describe('kill -9 of a load', () => {
  it.each(of('image.load image.extract'))('at %s', async (failpoint) => {
    await restartArmed(failpoint);
    await expect(stand.load({ path, reference: 'app' })).rejects.toThrow();
    expect((await stand.service.exited).signal).toBe('SIGKILL');
    await stand.restart();
    await expectWhole(failpoint === 'image.load.after-commit');
    await stand.load({ path, reference: 'app' });
    await expectWhole(true);
  });
});

describe('kill -9 of a removal', () => {
  it.each(of('image.remove'))('at %s', async (failpoint) => {
    await stand.load({ path, reference: 'app' });
    await restartArmed(failpoint);
    await expect(stand.remove('app')).rejects.toThrow();
    await stand.restart();
    await expectWhole(false);
    await stand.load({ path, reference: 'app' });
    await expectWhole(true);
  });
});

describe('kill -9 of a save', () => {
  it.each(of('image.save'))('at %s leaves the whole file or the one before', async (failpoint) => {
    await stand.load({ path, reference: 'app' });
    const target = stand.file('saved', Buffer.from('before'));
    await restartArmed(failpoint);
    await expect(save(stand, target, ['app'])).rejects.toThrow();
    expect((await stand.service.exited).signal).toBe('SIGKILL');
    await stand.restart();
    const isNew = failpoint === 'image.save.after-rename';
    expect(readFileSync(target).equals(Buffer.from('before'))).toBe(!isNew);
    expect(readdirSync(stand.directory).sort()).toEqual(['a', 'saved']);
    if (isNew)
      expect(digestOf(await download(stand, ['app']))).toBe(digestOf(readFileSync(target)));
    await expectWhole(true);
  });
});

describe('an error in a load', () => {
  it.each(of('image.load image.extract').filter((name) => name !== 'image.load.after-commit'))(
    'at %s leaves nothing',
    async (failpoint) => {
      stand.service.kill('SIGTERM');
      await stand.restart({ TEU_FAILPOINTS: `${failpoint}=error` });
      await expect(stand.load({ path, reference: 'app' })).rejects.toThrow();
      await expectWhole(false);
    },
  );
});

describe('a driver', () => {
  it('that lost its layers gets them again from the blobs', async () => {
    await stand.load({ path, reference: 'app' });
    const { SnapshotsService } = await import('@teu/proto/snapshots');
    for (const key of chainIds(LAYERS.map(digestOf)).reverse()) {
      await stand.driver.channel.unary(SnapshotsService.remove, { snapshotter: 'overlay2', key });
    }
    stand.service.kill('SIGTERM');
    await stand.restart();
    await expectWholeAfterPrepare();
  });

  it('that is away makes loads fail, and the service still starts and lists', async () => {
    await stand.load({ path, reference: 'app' });
    await stand.driver.stop();
    stand.service.kill('SIGTERM');
    await stand.restart();
    expect(await stand.list()).toHaveLength(1);
    await expect(stand.load({ path, reference: 'again' })).rejects.toMatchObject({
      reason: 'DRIVER_UNAVAILABLE',
    });
    await expect(stand.remove('app')).rejects.toMatchObject({ reason: 'DRIVER_UNAVAILABLE' });
    expect(await stand.list()).toHaveLength(1);
  });
});

async function expectWholeAfterPrepare(): Promise<void> {
  await stand.prepare('app');
  await expectWhole(true);
}
