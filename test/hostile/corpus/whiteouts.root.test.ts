import { requires } from '@teu/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NOTHING_LEFT, startCorpusStand, type CorpusStand } from './corpus-stand.js';
import { oci } from './hostile-archive.js';
import { tar, type TarPart } from './hostile-tar.js';
import { applyToModel, listModel, randomLayer, type Model } from './whiteout-model.js';

// What layers hide of each other: the tree is the same on every driver, and that of a model in memory.
const DRIVERS = [
  'overlay2',
  'vfs',
  ...(requires('root', 'loop', 'btrfs', 'mkfs.btrfs') ? ['btrfs'] : []),
  ...(requires('root', 'fuse') ? ['aufs'] : []),
];
const LIST = `find . -mindepth 1 -printf '%y %P\\n' | sort`;

let stand: CorpusStand;
beforeAll(async () => {
  requires('root', 'overlayfs');
  stand = await startCorpusStand(DRIVERS);
});
afterAll(async () => {
  await stand.stop();
});
afterEach(async () => {
  for (const image of await stand.list()) await stand.remove(image);
  await expect.poll(() => stand.leftovers(), { timeout: 10_000 }).toEqual(NOTHING_LEFT);
});

const d = (name: string): TarPart => ({ name: `${name}/`, type: '5', mode: 0o755 });
const f = (name: string): TarPart => ({ name, data: name });

const base = [d('a'), f('a/x'), f('a/y'), d('a/d'), f('a/d/deep'), f('b')];

/** Layers from the base up. */
const stacks: readonly [what: string, layers: TarPart[][]][] = [
  ['a whiteout of a file', [base, [f('a/.wh.x')]]],
  ['a whiteout of a directory', [base, [f('.wh.a')]]],
  ['a whiteout of what is not there', [base, [f('a/.wh.gone')]]],
  ['an opaque mark first', [base, [d('a'), f('a/.wh..wh..opq'), f('a/new')]]],
  ['an opaque mark last', [base, [d('a'), f('a/new'), f('a/.wh..wh..opq')]]],
  ['an opaque mark alone', [base, [f('a/.wh..wh..opq')]]],
  ['an opaque mark at the root', [base, [f('.wh..wh..opq'), f('new')]]],
  ['a whiteout, and the name anew', [base, [f('a/.wh.x'), f('a/x')]]],
  ['the name anew, and its whiteout', [base, [f('a/x'), f('a/.wh.x')]]],
  ['a whiteout of a directory, and it anew', [base, [f('.wh.a'), d('a'), f('a/new')]]],
  ['a directory in the place of a file', [base, [f('.wh.b'), d('b'), f('b/in')], [f('b/.wh.in')]]],
  ['a file in the place of a directory', [base, [f('.wh.a'), f('a')]]],
  ['three layers over the same name', [base, [f('a/.wh.x')], [f('a/x')], [f('a/.wh.x'), f('a/z')]]],
  [
    'opaque upon opaque',
    [base, [f('a/.wh..wh..opq'), f('a/one')], [f('a/.wh..wh..opq'), f('a/two')]],
  ],
  [
    'a whiteout below an opaque mark',
    [base, [f('a/.wh..wh..opq'), f('a/.wh.x'), f('a/d/.wh.deep')]],
  ],
];

async function expectModel(layers: readonly TarPart[][]): Promise<void> {
  const model: Model = new Map();
  for (const layer of layers) applyToModel(model, layer);
  const archive = oci(layers.map((parts) => tar(...parts)));
  const [image] = await stand.load(archive);
  if (image === undefined) throw new Error('there is no image');
  const look = async (driver: string) => {
    await stand.prepare(image, driver);
    const seen = await stand.look(driver, image.layers.at(-1)?.chainId ?? '', LIST);
    return [driver, seen.trimEnd().split('\n')] as const;
  };
  const trees = await Promise.all(DRIVERS.map(look));
  const expected = listModel(model);
  expect(trees).toEqual(DRIVERS.map((driver) => [driver, expected]));
}

describe('on every driver', () => {
  test.each(stacks)('%s', async (_, layers) => expectModel(layers));

  test.each([1, 2, 3, 4])('random layers, seed %i', async (seed) => {
    const layers: TarPart[][] = [];
    for (let at = 0; at < 4; at += 1) layers.push(randomLayer(seed * 100 + at));
    await expectModel(layers);
  });
});
