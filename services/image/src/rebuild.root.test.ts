import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Event } from '@teu/proto/event';
import { ImageServiceService, type Image } from '@teu/proto/image';
import { requires } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chainIds } from './domain/chain-id.js';
import { digestOf } from './domain/digest.js';
import { hostArchitecture } from './domain/architecture.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, dockerFiles, ociFiles, type ImageInput } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';

const directory = (name: string) => ({ name: `${name}/`, type: '5' });
const OLD = [
  makeTar(directory('lib'), { name: 'lib/z', data: 'flawed' }, { name: 'old', data: 'o' }),
];
const NEW = [
  makeTar(directory('lib'), { name: 'lib/z', data: 'mended' }),
  makeTar({ name: 'more', data: 'more' }),
];
const OWN = [
  makeTar(directory('app'), { name: 'app/one', data: '1' }, { name: 'app/gone', data: 'x' }),
  makeTar({ name: 'app/.wh.gone', data: '' }, { name: '.wh.old', data: '' }),
];
const HISTORY = {
  old: [{ created_by: 'ADD old' }, { created_by: 'CMD sh', empty_layer: true }],
  new: [
    { created_by: 'ADD new' },
    { created_by: 'RUN more' },
    { created_by: 'CMD bash', empty_layer: true },
  ],
  own: [
    { created_by: 'ENV A=1', empty_layer: true },
    { created_by: 'COPY app' },
    { created_by: 'RUN rm app/gone' },
  ],
};

let stand: ImageStand;

beforeEach(async () => {
  requires('root', 'overlayfs');
  stand = await startImageStand();
});
afterEach(() => stand.stop());

/** Loads an image with these members of its config beside the usual ones. */
async function load(name: string, input: ImageInput, more: object = {}): Promise<Image> {
  const files = ociFiles({ name: `${name}:latest`, ...input }, (documents) => {
    const config = { ...(JSON.parse(documents.config.toString()) as object), ...more };
    // Written by hand: a number that no program of this language can hold.
    const bytes = Buffer.from(JSON.stringify(config).replace('"exact"', '12345678901234567890'));
    const manifest = documents.manifest as { config: { digest: string; size: number } };
    manifest.config = { ...manifest.config, digest: digestOf(bytes), size: bytes.length };
    configs.push(bytes);
  });
  for (const bytes of configs.splice(0))
    files[`blobs/${digestOf(bytes).replace(':', '/')}`] = bytes;
  const [image] = await stand.load({ path: stand.file(name, archiveTar(files)), reference: '' });
  if (image === undefined) throw new Error('nothing was loaded');
  return image;
}
const configs: Buffer[] = [];

const loadAll = async (): Promise<void> => {
  await load('old', { layers: OLD }, { history: HISTORY.old });
  await load('new', { layers: NEW, compression: 'gzip' }, { history: HISTORY.new });
  const more = { history: [...HISTORY.old, ...HISTORY.own], unknown: { number: 'exact' } };
  await load('app', { layers: [...OLD, ...OWN], config: { Cmd: ['/app/one'] } }, more);
};

async function rebuild(reference: string, oldBase: string, newBase: string): Promise<Image> {
  const request = { reference, oldBase, newBase };
  const { image } = await stand.service.channel.unary(ImageServiceService.rebuildImage, request);
  if (image === undefined) throw new Error('no image came');
  return image;
}

const blob = (digest: string): string =>
  readFileSync(join(stand.dataDir, 'image/blobs', digest.replace(':', '/')), 'utf8');

describe('an image on another base', () => {
  it('has its own layers on top of it, and all else that it had', async () => {
    await loadAll();
    const image = await rebuild('app', 'old', 'new');
    expect(image.layers.map(({ diffId }) => diffId)).toEqual([...NEW, ...OWN].map(digestOf));
    expect(image.layers.map(({ chainId }) => chainId)).toEqual(
      chainIds([...NEW, ...OWN].map(digestOf)),
    );
    expect(image).toMatchObject({ references: [], config: { cmd: ['/app/one'] } });
    expect(blob(image.id)).toContain('"unknown":{"number":12345678901234567890}');
    expect(JSON.parse(blob(image.id))).toMatchObject({
      history: [...HISTORY.new, ...HISTORY.own],
      rootfs: { type: 'layers', diff_ids: [...NEW, ...OWN].map(digestOf) },
      created: '2020-01-02T03:04:05Z',
    });
    const { snapshot } = await stand.prepare(image.id);
    expect(await stand.look(snapshot, 'cat lib/z app/one more; ls app')).toBe('mended1moreone\n');
  });

  it('is told of by one event, which names what it was made of', async () => {
    await loadAll();
    const source = (await stand.list()).find(({ references }) => references[0] === 'app:latest');
    const image = await rebuild('app', 'old', 'new');
    await rebuild('app', 'old', 'new');
    stand.service.kill('SIGTERM');
    await stand.service.exited;
    using database = new DatabaseSync(join(stand.dataDir, 'image/state.db'), { readOnly: true });
    const rows = database
      .prepare("SELECT payload FROM outbox WHERE subject LIKE '%.rebuilt'")
      .all();
    const [event, ...others] = rows.map(({ payload }) => Event.decode(payload as Uint8Array));
    expect([event?.payload?.value, others]).toMatchObject([
      { imageId: image.id, sourceImageId: source?.id },
      [],
    ]);
  });

  it('says in its manifest what it stands on', async () => {
    await loadAll();
    const base = (await stand.list()).find(({ references }) => references[0] === 'new:latest');
    const image = await rebuild('app', 'old', 'new');
    const manifest = JSON.parse(blob(image.manifestDigest)) as {
      layers: { mediaType: string; digest: string }[];
      annotations: object;
    };
    expect(manifest.annotations).toEqual({
      'org.opencontainers.image.base.digest': base?.manifestDigest,
      'org.opencontainers.image.base.name': 'new:latest',
    });
    expect(manifest.layers.map(({ digest }) => digest)).toEqual(
      image.layers.map(({ digest }) => digest),
    );
    expect(manifest.layers.map(({ mediaType }) => mediaType.endsWith('gzip'))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('is the same each time, also after it was removed', async () => {
    await loadAll();
    const first = await rebuild('app', 'old', 'new');
    expect(await rebuild('app', 'old', 'new')).toEqual(first);
    await stand.remove(first.id);
    const again = await rebuild('app', 'old', 'new');
    expect([again.id, again.manifestDigest]).toEqual([first.id, first.manifestDigest]);
  });

  it('stays without a name, over restarts and when other images go, until it is removed', async () => {
    await loadAll();
    const image = await rebuild('app', 'old', 'new');
    const tag = { source: image.id, target: 'app:latest' };
    await stand.service.channel.unary(ImageServiceService.tagImage, tag);
    // The one that had the name stays as well: going back needs it.
    expect((await stand.list()).map(({ references }) => references[0] ?? 'none').sort()).toEqual([
      'app:latest',
      'new:latest',
      'none',
      'old:latest',
    ]);
    await stand.remove('new');
    stand.service.kill('SIGTERM');
    await stand.restart();
    const { snapshot } = await stand.prepare(image.id);
    expect(await stand.look(snapshot, 'cat lib/z app/one')).toBe('mended1');
    await stand.remove(image.id);
    expect(await stand.list()).toHaveLength(2);
  });

  it('is the new base itself, if it was the old one', async () => {
    await loadAll();
    const [base] = (await stand.list()).filter(({ references }) => references[0] === 'new:latest');
    expect(await rebuild('old', 'old', 'new')).toEqual(base);
  });

  it('can go back, to the very image that it was', async () => {
    await loadAll();
    const before = (await stand.list()).find(({ references }) => references[0] === 'app:latest');
    const image = await rebuild('app', 'old', 'new');
    expect(await rebuild(image.id, 'new', 'old')).toEqual(before);
  });

  it('has no history, if one of them tells none', async () => {
    await load('old', { layers: OLD });
    await load('new', { layers: NEW });
    await load('app', { layers: [...OLD, ...OWN] }, { history: [...HISTORY.old, ...HISTORY.own] });
    expect(JSON.parse(blob((await rebuild('app', 'old', 'new')).id))).not.toHaveProperty('history');
  });

  it('can be one of docker, which keeps the forms of docker', async () => {
    await loadAll();
    const files = dockerFiles({ layers: [...OLD, ...OWN], config: { Cmd: ['x'] } });
    await stand.load({ path: stand.file('d', archiveTar(files)), reference: 'docker' });
    const image = await rebuild('docker', 'old', 'new');
    expect(image.layers).toHaveLength(4);
    await stand.prepare(image.id);
  });
});

describe('what is refused', () => {
  const refusal = (reference: string, oldBase: string, newBase: string, field: string) =>
    expect(rebuild(reference, oldBase, newBase)).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      metadata: { field },
    });

  it('a base that the image does not stand on', async () => {
    await loadAll();
    const count = (await stand.list()).length;
    await refusal('app', 'new', 'old', 'old_base');
    await refusal('old', 'app', 'new', 'old_base');
    expect(await stand.list()).toHaveLength(count);
  });

  it('a base for another machine, or another variant of it', async () => {
    await loadAll();
    await load('other', { layers: NEW }, { architecture: 'mips' });
    await load('variant', { layers: NEW }, { architecture: hostArchitecture, variant: 'v9' });
    await refusal('app', 'old', 'other', 'new_base');
    await refusal('app', 'old', 'variant', 'new_base');
  });

  it('what is not there', async () => {
    await loadAll();
    await expect(rebuild('app', 'old', 'none')).rejects.toMatchObject({
      reason: 'IMAGE_NOT_FOUND',
    });
  });
});

describe('kill -9 of a rebuild', () => {
  it.each(['after-intent', 'after-documents', 'after-commit'])('at %s', async (step) => {
    await loadAll();
    const before = stand.stored();
    stand.service.kill('SIGTERM');
    await stand.restart({ TEU_FAILPOINTS: `image.rebuild.${step}=kill` });
    await expect(rebuild('app', 'old', 'new')).rejects.toThrow();
    await stand.restart();
    const isThere = step === 'after-commit';
    expect(await stand.list()).toHaveLength(isThere ? 4 : 3);
    expect(stand.stored().staging).toEqual([]);
    expect(stand.stored().blobs).toHaveLength(before.blobs.length + (isThere ? 2 : 0));
    const image = await rebuild('app', 'old', 'new');
    await stand.prepare(image.id);
  });
});
