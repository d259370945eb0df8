import { loopFilesystem, requires, waitFor, type LoopFilesystem } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { chainIds } from './domain/chain-id.js';
import { digestOf } from './domain/digest.js';
import { IMAGE_FAILPOINTS } from './failpoints.js';
import { pull } from './testing/distribution-calls.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, dockerFiles, ociFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';
import { startStubImage, type StubImage } from './testing/stub-image.js';

const DISK_BYTES = 256 * 2 ** 20;
const FILES = Array.from({ length: 200 }, (_, n) => ({
  name: `etc/${n}`,
  data: `${n}\n`.repeat(500),
}));
const LAYERS = [
  makeTar({ name: 'etc/', type: '5' }, ...FILES),
  // With its directory, so that it is unpacked beside the other.
  makeTar({ name: 'etc/', type: '5' }, { name: 'etc/top', data: 'top' }),
];
const CHAIN = chainIds(LAYERS.map(digestOf)).sort();

let disk: LoopFilesystem;
let stand: ImageStand;
let path: string;

beforeEach(async () => {
  requires('root', 'overlayfs', 'loop', 'mkfs.ext4', 'python3');
  disk = await loopFilesystem(DISK_BYTES);
  stand = await startImageStand({ dataDir: join(disk.path, 'data') });
  path = stand.file('a', archiveTar(dockerFiles({ layers: LAYERS })));
});

afterEach(async () => {
  await stand.stop();
  disk.remove();
});

async function cutPower(): Promise<void> {
  await disk.cutPower();
  await stand.crash(() => disk.restart());
}

async function expectWhole(name = 'app'): Promise<void> {
  const { snapshot } = await stand.prepare(name);
  const sums = await stand.look(snapshot, 'cat $(ls etc/* | sort -V) | sha256sum | cut -c1-64');
  const expected = [...FILES.map(({ data }) => data), 'top'].join('');
  expect(`sha256:${sums.trim()}`).toBe(digestOf(expected));
}

describe('a power cut', () => {
  it('right after the answer leaves the image whole', async () => {
    await stand.load({ path, reference: 'app' });
    await cutPower();
    expect((await stand.list()).map(({ references }) => references)).toEqual([['app:latest']]);
    await expectWhole();
  });

  it('right after a removal leaves nothing of it', async () => {
    await stand.load({ path, reference: 'app' });
    await stand.remove('app');
    await cutPower();
    expect(await stand.list()).toEqual([]);
    await waitFor(async () => (await stand.snapshots()).length === 0);
    expect(stand.stored()).toEqual({ blobs: [], staging: [] });
  });

  it.each(IMAGE_FAILPOINTS.filter((name) => /^image\.(load|extract)\./.test(name)))(
    'at %s leaves all of the image or nothing',
    async (failpoint) => {
      stand.service.kill('SIGTERM');
      await stand.restart({ TEU_FAILPOINTS: `${failpoint}=kill` });
      await expect(stand.load({ path, reference: 'app' })).rejects.toThrow();
      await cutPower();
      const loaded = (await stand.list()).length === 1;
      expect(loaded).toBe(failpoint === 'image.load.after-commit');
      await waitFor(async () => {
        expect(await stand.snapshots()).toEqual(loaded ? CHAIN : []);
        expect(stand.stored().blobs).toHaveLength(loaded ? 4 : 0);
        return true;
      });
      await stand.load({ path, reference: 'app' });
      await expectWhole();
    },
  );
});

describe('a power cut in a pull', () => {
  let stub: StubImage;
  beforeEach(async () => {
    stub = await startStubImage(ociFiles({ layers: LAYERS }), () => false);
  });
  afterEach(() => stub.stop());

  it.each(IMAGE_FAILPOINTS.filter((name) => name.startsWith('image.pull.')))(
    'at %s leaves all of the image or nothing',
    async (failpoint) => {
      const reference = `${stub.host}/app:1`;
      stand.service.kill('SIGTERM');
      await stand.restart({ TEU_FAILPOINTS: `${failpoint}=kill` });
      await expect(pull(stand.service, { reference })).rejects.toThrow();
      await cutPower();
      const isThere = failpoint === 'image.pull.after-commit';
      expect(await stand.list()).toHaveLength(isThere ? 1 : 0);
      await waitFor(async () => {
        expect(await stand.snapshots()).toEqual(isThere ? CHAIN : []);
        expect(stand.stored().blobs).toHaveLength(isThere ? 4 : 0);
        return true;
      });
      await pull(stand.service, { reference });
      await expectWhole(reference);
    },
  );
});
