import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Image } from '@teu/proto/image';
import { requires, waitFor } from '@teu/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { chainIds } from './domain/chain-id.js';
import { digestOf } from './domain/digest.js';
import { verify } from './testing/content-calls.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, ociFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';
import { prepareSnapshot } from './testing/tree-calls.js';

const LAYERS = [
  makeTar({ name: 'etc/', type: '5' }, { name: 'etc/base', data: 'base' }),
  makeTar({ name: 'etc/middle', data: 'middle' }),
  makeTar({ name: 'etc/top', data: 'top' }),
];
const CHAIN = chainIds(LAYERS.map(digestOf));
const FILES = ociFiles({ layers: LAYERS, name: 'app' });

let stand: ImageStand;
let path: string;

beforeAll(async () => {
  requires('root', 'overlayfs');
  stand = await startImageStand();
  path = stand.file('app', archiveTar(FILES));
});

afterAll(async () => {
  await stand.stop();
});

afterEach(async () => {
  for (const { id } of await stand.list()) await stand.remove(id, true);
  await waitFor(async () => (await stand.snapshots()).length === 0);
});

const load = () => stand.load({ path, reference: 'app' });
const blobPath = (digest: string) =>
  join(stand.dataDir, 'image/blobs/sha256', digest.replace('sha256:', ''));
const aside = () => readdirSync(join(stand.dataDir, 'image/quarantine'));

/** Changes one byte and keeps size and times. */
function flip(file: string): void {
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(file, bytes);
}

/** A file of a layer in the driver's directory. */
function layerFile(name: string): string {
  const layers = join(stand.dataDir, 'overlay2/l');
  const found = readdirSync(layers).map((id) => join(layers, id, 'etc', name));
  const file = found.find((candidate) => existsSync(candidate));
  if (file === undefined) throw new Error(`no layer has ${name}`);
  return file;
}

async function expectWhole(): Promise<void> {
  const { snapshot } = await stand.prepare('app');
  expect(await stand.look(snapshot, 'cat etc/base etc/middle etc/top')).toBe('basemiddletop');
  const { damages, summary } = await verify(stand, { readData: true });
  expect([damages, summary.remainingCount]).toEqual([[], 0]);
  expect(aside()).toEqual([]);
}

describe('what is whole', () => {
  it('is counted, and nothing is found', async () => {
    const [image] = await load();
    const { damages, summary } = await verify(stand, { readData: true });
    expect(damages).toEqual([]);
    const sizes = stand.stored().blobs.map((name) => readFileSync(blobPath(name)).length);
    expect(summary).toEqual({
      imageCount: 1,
      blobCount: 5,
      blobBytes: sizes.reduce((sum, size) => sum + size, 0),
      layerCount: 3,
      damageCount: 0,
      remainingCount: 0,
      skippedDrivers: [],
    });
    expect((await verify(stand, { references: [image?.id ?? ''] })).summary.imageCount).toBe(1);
    await expect(verify(stand, { references: ['none'] })).rejects.toMatchObject({
      reason: 'IMAGE_NOT_FOUND',
    });
    await expect(verify(stand, { drivers: ['none'] })).rejects.toMatchObject({
      reason: 'DRIVER_NOT_FOUND',
    });
  });
});

const layerDigest = digestOf(LAYERS[1] ?? Buffer.alloc(0));

describe('a damaged blob', () => {
  it.each<[string, (image: Image) => void, string]>([
    ['a layer with a byte flipped', () => flip(blobPath(layerDigest)), 'BLOB_CHANGED'],
    ['a layer cut short', () => truncateSync(blobPath(layerDigest), 700), 'BLOB_CHANGED'],
    [
      'a layer with more than it had',
      () => appendFileSync(blobPath(layerDigest), 'x'),
      'BLOB_CHANGED',
    ],
    ['a layer that is gone', () => rmSync(blobPath(layerDigest)), 'BLOB_MISSING'],
    ['a config with a byte flipped', ({ id }) => flip(blobPath(id)), 'BLOB_CHANGED'],
    [
      'a manifest that is gone',
      ({ manifestDigest }) => rmSync(blobPath(manifestDigest)),
      'BLOB_MISSING',
    ],
  ])('%s is found, kept aside, and mended by loading the image again', async (_, damage, kind) => {
    const [image] = await load();
    damage(Image.create(image));
    const found = await verify(stand);
    expect(found.damages).toEqual([`${kind} UNSPECIFIED`]);
    expect(found.full[0]).toMatchObject({ images: ['app:latest'], driver: '', chainId: '' });
    expect(aside()).toEqual([]);
    const set = await verify(stand, { repair: true });
    expect(set.damages).toEqual([`${kind} QUARANTINED`]);
    expect(set.summary.remainingCount).toBe(1);
    const hex = found.full[0]?.digest.slice(7) ?? '';
    expect(aside()).toEqual(kind === 'BLOB_MISSING' ? [] : [hex]);
    // It stays so, also over a restart, until it is mended.
    stand.service.kill('SIGTERM');
    await stand.restart();
    expect((await verify(stand)).damages).toEqual([`${kind} QUARANTINED`]);
    await load();
    await expectWhole();
  });

  it('is named to whoever wants it, who is told what helps', async () => {
    const [image] = await load();
    flip(blobPath(layerDigest));
    await verify(stand, { repair: true });
    await dropLayers();
    const error = { reason: 'DATA_LOSS', metadata: { digest: layerDigest } };
    await expect(stand.prepare('app')).rejects.toMatchObject(error);
    await expect(stand.prepare('app')).rejects.toThrow(/Load or pull the image again/);
    expect(image?.layers[1]?.digest).toBe(layerDigest);
    await load();
    await expectWhole();
  });

  it('is found by whoever unpacks it, and not used', async () => {
    await load();
    await dropLayers();
    flip(blobPath(layerDigest));
    await expect(stand.prepare('app')).rejects.toMatchObject({ reason: 'DATA_LOSS' });
    expect(aside()).toEqual([layerDigest.slice(7)]);
    await load();
    await expectWhole();
  });

  it('goes with its image, also out of quarantine', async () => {
    await load();
    flip(blobPath(layerDigest));
    await verify(stand, { repair: true });
    await stand.remove('app');
    expect([aside(), stand.stored().blobs]).toEqual([[], []]);
  });
});

/** As a driver that lost everything. */
async function dropLayers(): Promise<void> {
  const { SnapshotsService } = await import('@teu/proto/snapshots');
  for (const key of [...CHAIN].reverse()) {
    await stand.driver.channel.unary(SnapshotsService.remove, { snapshotter: 'overlay2', key });
  }
  stand.service.kill('SIGTERM');
  await stand.restart();
}

describe('a damaged layer in a driver', () => {
  it.each([
    ['with a file whose content changed', () => flip(layerFile('middle')), 'LAYER_CHANGED'],
    ['that lacks a file', () => rmSync(layerFile('middle')), 'LAYER_CHANGED'],
    [
      'that is gone',
      () => rmSync(join(layerFile('middle'), '../..'), { recursive: true }),
      'LAYER_MISSING',
    ],
  ])('%s is made anew under what stands on it', async (_, damage, kind) => {
    await load();
    // The first look makes the manifests that later ones compare with.
    await verify(stand);
    await prepareSnapshot(stand, 'container', CHAIN[2] ?? '');
    await stand.runIn('container', 'echo -n own >etc/own');
    damage();
    const found = await verify(stand, { readData: true });
    expect(found.damages).toEqual([`${kind} UNSPECIFIED`]);
    expect(found.full[0]).toMatchObject({
      chainId: CHAIN[1],
      driver: 'overlay2',
      images: ['app:latest'],
    });
    const mended = await verify(stand, { readData: true, repair: true });
    expect(mended.damages).toEqual([`${kind} REBUILT`]);
    expect(mended.summary.remainingCount).toBe(0);
    expect(await stand.runIn('container', 'cat etc/base etc/middle etc/top etc/own')).toBe(
      'basemiddletopown',
    );
    await removeSnapshot('container');
    await expectWhole();
  });

  it('is told from its blob, which is damaged too: nothing can be made of that', async () => {
    await load();
    await verify(stand);
    flip(layerFile('middle'));
    flip(blobPath(layerDigest));
    const { damages } = await verify(stand, { readData: true, repair: true });
    expect(damages).toEqual(['BLOB_CHANGED QUARANTINED', 'LAYER_CHANGED QUARANTINED']);
    await expect(stand.prepare('app')).rejects.toMatchObject({ reason: 'DATA_LOSS' });
    // Loading it again mends both.
    await load();
    await expectWhole();
  });

  it('that the driver lost is made anew', async () => {
    await load();
    await dropLayers();
    const { damages } = await verify(stand, { repair: true });
    expect(damages).toEqual(['LAYER_MISSING REBUILT']);
    await expectWhole();
  });
});

async function removeSnapshot(key: string): Promise<void> {
  const { SnapshotsService } = await import('@teu/proto/snapshots');
  await stand.driver.channel.unary(SnapshotsService.remove, { snapshotter: 'overlay2', key });
}

describe('what belongs to nothing', () => {
  it('is found among the blobs, and removed', async () => {
    await load();
    writeFileSync(blobPath('stray'), 'stray');
    expect((await verify(stand)).damages).toEqual(['STRAY UNSPECIFIED']);
    expect((await verify(stand, { references: ['app'] })).damages).toEqual([]);
    expect((await verify(stand, { repair: true })).damages).toEqual(['STRAY REMOVED']);
    await expectWhole();
  });
});

describe('after a crash', () => {
  it('images are verified and mended by themselves', async () => {
    await load();
    await verify(stand);
    rmSync(layerFile('middle'));
    writeFileSync(blobPath('stray'), 'stray');
    stand.service.kill('SIGKILL');
    await stand.restart({ TEU_IMAGE_VERIFY_DELAY: '10ms' });
    await waitFor(() => stand.service.logs().includes('images were verified after a crash'));
    expect(stand.service.logs()).toContain('an image is damaged');
    await expectWhole();
  });

  it.each([
    ['was asked to end', 'SIGTERM' as const, {}],
    ['has it switched off', 'SIGKILL' as const, { TEU_IMAGE_VERIFY_AFTER_CRASH: 'false' }],
  ])('and not if the service %s', async (_, signal, env) => {
    await load();
    await verify(stand);
    rmSync(layerFile('middle'));
    stand.service.kill(signal);
    await stand.restart({ TEU_IMAGE_VERIFY_DELAY: '0', ...env });
    // By then it would have begun.
    expect((await verify(stand, { readData: true })).damages).toEqual([
      'LAYER_CHANGED UNSPECIFIED',
    ]);
    await verify(stand, { repair: true });
    await expectWhole();
  });
});
