import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires } from '@teu/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { chainIds } from './domain/chain-id.js';
import { digestOf } from './domain/digest.js';
import { verify } from './testing/content-calls.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, dockerFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';
import { prepareSnapshot } from './testing/tree-calls.js';

const LAYERS = [
  makeTar({ name: 'base', data: 'base' }),
  makeTar({ name: 'middle', data: 'middle' }),
  makeTar({ name: 'top', data: 'top' }),
];
const CHAIN = chainIds(LAYERS.map(digestOf));

let stand: ImageStand;

/** A driver whose snapshots are copies: it cannot put a layer in the place of another under what stands on it. */
beforeEach(async () => {
  requires('root');
  stand = await startImageStand({ driver: 'vfs' });
  const inputs = [
    { layers: LAYERS, name: 'app' },
    { layers: LAYERS.slice(0, 2), name: 'base' },
  ];
  await stand.load({ path: stand.file('a', archiveTar(dockerFiles(...inputs))) });
  await verify(stand);
});

afterEach(async () => {
  await stand.stop();
});

/** Damages the middle layer, of which the top one has a copy. */
function damage(): void {
  const layers = join(stand.dataDir, 'vfs/l');
  const id = readdirSync(layers).find((name) => {
    const has = (file: string) => existsSync(join(layers, name, file));
    return has('middle') && !has('top');
  });
  writeFileSync(join(layers, id ?? '', 'middle'), 'MIDDLE');
}

async function expectWhole(): Promise<void> {
  expect((await verify(stand, { readData: true })).damages).toEqual([]);
  const { snapshot } = await stand.prepare('app');
  expect(await stand.look(snapshot, 'cat base middle top')).toBe('basemiddletop');
}

it('a damaged layer is made anew with those on it, if all of that is layers', async () => {
  damage();
  const { damages } = await verify(stand, { readData: true, repair: true });
  expect(damages).toEqual(['LAYER_CHANGED REBUILT']);
  await expectWhole();
  expect(await stand.snapshots()).toEqual([...CHAIN].sort());
});

it('and put into quarantine while a container stands on it; after that it is made anew', async () => {
  await prepareSnapshot(stand, 'container', CHAIN[2] ?? '');
  damage();
  const { full, damages, summary } = await verify(stand, { readData: true, repair: true });
  expect([damages, summary.remainingCount]).toEqual([['LAYER_CHANGED QUARANTINED'], 1]);
  expect(full[0]?.images).toEqual(['app:latest', 'base:latest']);
  expect(full[0]?.detail).toMatch(/cannot replace it while others stand on it/);
  await expect(prepareSnapshot(stand, 'other', CHAIN[2] ?? '')).rejects.toMatchObject({
    reason: 'SNAPSHOT_INVALID',
  });
  expect(await stand.runIn('container', 'cat middle').catch(String)).toBeDefined();
  const { SnapshotsService } = await import('@teu/proto/snapshots');
  const request = { snapshotter: 'vfs', key: 'container' };
  await stand.driver.channel.unary(SnapshotsService.remove, request);
  expect((await verify(stand, { repair: true })).damages).toEqual(['LAYER_CHANGED REBUILT']);
  await expectWhole();
});
