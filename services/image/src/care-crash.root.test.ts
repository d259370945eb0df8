import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loopFilesystem, requires, waitFor, type LoopFilesystem } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chainIds } from './domain/chain-id.js';
import { digestOf } from './domain/digest.js';
import { prune, verify } from './testing/content-calls.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, ociFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';
import { prepareSnapshot } from './testing/tree-calls.js';

const DISK_BYTES = 128 * 2 ** 20;
const LAYERS = [
  makeTar({ name: 'etc/', type: '5' }, { name: 'etc/base', data: 'base' }),
  makeTar({ name: 'etc/top', data: 'top' }),
];
const CHAIN = chainIds(LAYERS.map(digestOf));

let disk: LoopFilesystem;
let stand: ImageStand;
let path: string;

beforeEach(async () => {
  requires('root', 'overlayfs', 'loop', 'mkfs.ext4');
  disk = await loopFilesystem(DISK_BYTES);
  stand = await startImageStand({ dataDir: join(disk.path, 'data') });
  path = stand.file('app', archiveTar(ociFiles({ layers: LAYERS })));
});

afterEach(async () => {
  await stand.stop();
  disk.remove();
});

const load = (reference = 'app') => stand.load({ path, reference });
const mend = () => verify(stand, { readData: true, repair: true });

/** What is found and mended is to be told to the test, not to a verification that the service begins by itself. */
const UNASKED = { TEU_IMAGE_VERIFY_AFTER_CRASH: 'false' };

/** How the service ends at a failpoint. */
const ends = {
  'kill -9': () => stand.restart(UNASKED),
  'a power cut': async () => {
    await disk.cutPower();
    await stand.crash(() => disk.restart(), UNASKED);
  },
};
type End = keyof typeof ends;

/** Does something until the service dies of a failpoint, and starts it again. */
async function dieAt(point: string, end: End, work: () => Promise<unknown>): Promise<void> {
  stand.service.kill('SIGTERM');
  await stand.restart({ TEU_FAILPOINTS: `${point}=kill` });
  await expect(work()).rejects.toThrow();
  expect((await stand.service.exited).signal).toBe('SIGKILL');
  await ends[end]();
}

function flip(file: string): void {
  const bytes = readFileSync(file);
  bytes.set([(bytes[bytes.length >> 1] ?? 0) ^ 1], bytes.length >> 1);
  writeFileSync(file, bytes);
}

function layerFile(): string {
  const layers = join(stand.dataDir, 'overlay2/l');
  const found = readdirSync(layers).map((id) => join(layers, id, 'etc/base'));
  return found.find((file) => existsSync(file)) ?? '';
}

async function expectWhole(): Promise<void> {
  const { snapshot } = await stand.prepare('app');
  expect(await stand.look(snapshot, 'cat etc/base etc/top')).toBe('basetop');
  expect((await verify(stand, { readData: true })).damages).toEqual([]);
  await waitFor(async () => {
    const names = (await stand.snapshots()).filter((name) => name.startsWith('extract/'));
    return names.length === 0;
  });
}

describe('while a damaged layer is made anew', () => {
  it.each<[string, End]>([
    ['image.extract.after-apply', 'kill -9'],
    ['image.extract.after-commit', 'kill -9'],
    ['image.mend.after-replace', 'kill -9'],
    ['image.extract.after-apply', 'a power cut'],
    ['image.mend.after-replace', 'a power cut'],
  ])('at %s, by %s: it is whole, or made anew the next time', async (point, end) => {
    await load();
    await verify(stand);
    await prepareSnapshot(stand, 'container', CHAIN[1] ?? '');
    flip(layerFile());
    await dieAt(point, end, mend);
    await mend();
    await expectWhole();
    expect(await stand.runIn('container', 'cat etc/base etc/top')).toBe('basetop');
  });
});

describe('while a damaged blob is put aside', () => {
  it.each<End>(['kill -9', 'a power cut'])(
    'by %s: it stays so, until it is mended',
    async (end) => {
      await load();
      const digest = digestOf(LAYERS[0] ?? '');
      const blob = join(stand.dataDir, 'image/blobs/sha256', digest.slice(7));
      flip(blob);
      await dieAt('image.mend.after-quarantine', end, mend);
      const { full, summary } = await mend();
      expect([full.map((damage) => damage.digest), summary.remainingCount]).toEqual([[digest], 1]);
      expect(full[0]?.detail).toContain('load or pull');
      // What comes back by itself is taken for whole only if it is.
      writeFileSync(blob, LAYERS[0] ?? '');
      expect((await mend()).summary).toMatchObject({ damageCount: 1, remainingCount: 0 });
      await expectWhole();
    },
  );

  it('and mended by loading the image: that is durable when it is answered', async () => {
    await load();
    flip(join(stand.dataDir, 'image/blobs/sha256', digestOf(LAYERS[0] ?? '').slice(7)));
    await mend();
    await load();
    await ends['a power cut']();
    await expectWhole();
  });
});

describe('while images are pruned', () => {
  it.each<[string, End]>([
    ['image.prune.after-image', 'kill -9'],
    ['image.remove.after-snapshots', 'kill -9'],
    ['image.prune.after-image', 'a power cut'],
  ])('at %s, by %s: each image is whole or gone', async (point, end) => {
    await load();
    const other = ociFiles({ layers: LAYERS, config: { Labels: { other: '' } } });
    const otherPath = stand.file('other', archiveTar(other));
    await stand.load({ path: otherPath, reference: 'other' });
    await dieAt(point, end, () => prune(stand, { all: true }));
    for (const { references } of await stand.list()) {
      const { snapshot } = await stand.prepare(references[0] ?? '');
      expect(await stand.look(snapshot, 'cat etc/base etc/top')).toBe('basetop');
    }
    expect((await verify(stand, { readData: true })).damages).toEqual([]);
    await prune(stand, { all: true });
    expect(await stand.list()).toEqual([]);
    await waitFor(async () => (await stand.snapshots()).length === 0);
    expect(stand.stored()).toEqual({ blobs: [], staging: [] });
  });
});
