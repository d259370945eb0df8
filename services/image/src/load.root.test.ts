import { createReadStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isTeuError } from '@teu/errors';
import { ArchiveFormat, ImageServiceService, LoadImageRequest } from '@teu/proto/image';
import { SnapshotsService } from '@teu/proto/snapshots';
import { debianRootfsTar, requires, runProgram, waitFor } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chainIds } from './domain/chain-id.js';
import { digestOf } from './domain/digest.js';
import { DRIVER, startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, dockerFiles, ociFiles, writeArchive } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';

const BASE = makeTar({ name: 'etc/', type: '5' }, { name: 'etc/base', data: 'base' });
const TOP = makeTar({ name: 'etc/.wh.base' }, { name: 'etc/top', data: 'top' });
const OTHER = makeTar({ name: 'etc/other', data: 'other' });
const LAYERS = [BASE, TOP];

let stand: ImageStand;

beforeEach(async () => {
  requires('root', 'overlayfs');
  stand = await startImageStand();
});

afterEach(async () => {
  await stand.stop();
});

const fails = (reason: Parameters<typeof isTeuError>[1]) =>
  expect.toSatisfy((error: unknown) => isTeuError(error, reason)) as unknown;

describe('loading', () => {
  const chain = chainIds(LAYERS.map(digestOf));
  const forms: [string, () => string][] = [
    ['an OCI layout', () => layoutDirectory()],
    ['a tar of it', () => stand.file('a', archiveTar(ociFiles({ layers: LAYERS })))],
    [
      'one with gzip layers',
      () => stand.file('a', archiveTar(ociFiles({ layers: LAYERS, compression: 'gzip' }))),
    ],
    [
      'one with zstd layers',
      () => stand.file('a', archiveTar(ociFiles({ layers: LAYERS, compression: 'zstd' }))),
    ],
    ['a docker archive', () => stand.file('a', archiveTar(dockerFiles({ layers: LAYERS })))],
    [
      'a docker archive in gzip',
      () => stand.file('a', gzipSync(archiveTar(dockerFiles({ layers: LAYERS })))),
    ],
    [
      'a docker archive in zstd',
      () => stand.file('a', zstdCompressSync(archiveTar(dockerFiles({ layers: LAYERS })))),
    ],
    [
      'a docker archive of version 25',
      () =>
        stand.file(
          'a',
          archiveTar({ ...dockerFiles({ layers: LAYERS }), ...ociFiles({ layers: LAYERS }) }),
        ),
    ],
  ];
  const layoutDirectory = (): string => {
    const path = join(stand.directory, 'layout');
    mkdirSync(path);
    writeArchive(path, ociFiles({ layers: LAYERS }));
    return path;
  };

  it.each(forms)('%s gives the same tree', async (_, make) => {
    const [image] = await stand.load({ path: make(), reference: 'two' });
    expect(image).toMatchObject({ references: ['two:latest'], os: 'linux' });
    expect(image?.layers.map(({ chainId }) => chainId)).toEqual(chain);
    expect(image?.layers.map(({ diffId }) => diffId)).toEqual(LAYERS.map(digestOf));
    const prepared = await stand.prepare('two');
    expect(prepared).toMatchObject({ driver: DRIVER, snapshot: chain[1] });
    expect(await stand.look(prepared.snapshot, 'find . -type f; cat etc/top')).toBe(
      './etc/top\ntop',
    );
    expect(stand.stored()).toMatchObject({ staging: [] });
    expect(await stand.snapshots()).toEqual([...chain].sort());
  });

  it.each([
    ['as it is', (tar: Buffer) => tar],
    ['in gzip', gzipSync],
    ['in zstd', zstdCompressSync],
  ])('a plain root file system %s makes an image of one layer', async (_, pack) => {
    const path = stand.file('rootfs', pack(BASE));
    await expect(stand.load({ path })).rejects.toEqual(fails('INVALID_ARGUMENT'));
    const [image] = await stand.load({ path, reference: 'localhost:5000/base:1' });
    expect(image).toMatchObject({
      references: ['localhost:5000/base:1'],
      config: { cmd: ['/bin/sh'] },
    });
    expect(image?.layers).toMatchObject([{ diffId: digestOf(BASE), chainId: digestOf(BASE) }]);
    const again = await stand.load({
      path,
      reference: 'again',
      format: ArchiveFormat.ARCHIVE_FORMAT_ROOTFS,
    });
    expect(again).toMatchObject([{ id: image?.id }]);
    expect(await stand.list()).toHaveLength(1);
  });

  it('several images share what they have in common', async () => {
    const archive = dockerFiles(
      { layers: LAYERS, name: 'a' },
      { layers: [BASE, OTHER], name: 'b:2' },
    );
    const path = stand.file('two', archiveTar(archive));
    await expect(stand.load({ path, reference: 'x' })).rejects.toEqual(fails('INVALID_ARGUMENT'));
    const images = await stand.load({ path });
    expect(images.map(({ references }) => references)).toEqual([['a:latest'], ['b:2']]);
    expect(await stand.snapshots()).toHaveLength(3);
    await stand.remove('a');
    expect(await stand.snapshots()).toEqual(chainIds([BASE, OTHER].map(digestOf)).sort());
    expect(await stand.look((await stand.prepare('b:2')).snapshot, 'ls etc')).toBe('base\nother\n');
    await stand.remove('b:2');
    expect([await stand.snapshots(), stand.stored().blobs]).toEqual([[], []]);
  });

  it('the same image many times at once unpacks it once', async () => {
    const path = stand.file('a', archiveTar(ociFiles({ layers: LAYERS, compression: 'gzip' })));
    const loads = Array.from({ length: 6 }, (_, n) => stand.load({ path, reference: `n${n}` }));
    const ids = (await Promise.all(loads)).map(([image]) => image?.id);
    expect(new Set(ids).size).toBe(1);
    expect((await stand.list())[0]?.references).toHaveLength(6);
    expect(await stand.snapshots()).toHaveLength(2);
    expect(stand.stored().blobs).toHaveLength(4);
  });

  it('an upload arrives like a file', async () => {
    const path = stand.file('a', archiveTar(dockerFiles({ layers: LAYERS, name: 'up' })));
    async function* messages() {
      yield { part: { $case: 'header' as const, value: LoadImageRequest.create({}) } };
      for await (const data of createReadStream(path, { highWaterMark: 1000 })) {
        yield { part: { $case: 'data' as const, value: data as Buffer } };
      }
    }
    const answers = stand.service.channel.bidi(ImageServiceService.uploadImage, messages());
    const events = await Array.fromAsync(answers, ({ event }) => event);
    expect(events.at(-1)).toMatchObject({ value: { images: [{ references: ['up:latest'] }] } });
    expect(stand.stored().staging).toEqual([]);
  });

  it('a Debian root file system arrives whole', async () => {
    const path = await debianRootfsTar();
    await stand.load({ path, reference: 'debian' });
    const { snapshot } = await stand.prepare('debian');
    const differences = await stand.look(
      snapshot,
      `tar -df '${path}' --numeric-owner 2>&1 || true`,
    );
    expect(differences).toBe('');
  });
});

describe('a load that is cancelled', () => {
  it('leaves nothing', async () => {
    const cancel = new AbortController();
    const request = { path: await debianRootfsTar(), reference: 'cancelled' };
    const answers = stand.service.channel.serverStream(
      ImageServiceService.loadImage,
      LoadImageRequest.create(request),
      { signal: cancel.signal },
    );
    const seen: number[] = [];
    const walk = async (): Promise<void> => {
      for await (const { event } of answers) {
        if (event?.$case !== 'progress') continue;
        seen.push(event.value.currentBytes);
        if (seen.length === 3) cancel.abort();
      }
    };
    await expect(walk()).rejects.toEqual(fails('CANCELLED'));
    // Two steps of progress beyond the first message were bytes that really went by.
    expect(seen).toEqual([0, expect.any(Number), expect.any(Number)]);
    expect(seen[2]).toBeGreaterThan(seen[1] ?? Infinity);
    await waitFor(async () => {
      expect(await stand.snapshots()).toEqual([]);
      expect(stand.stored()).toEqual({ blobs: [], staging: [] });
      return true;
    });
    expect(await stand.list()).toEqual([]);
  });
});

describe('what skopeo and umoci write', () => {
  const run = async (program: string, ...args: string[]): Promise<void> => {
    const { code, stderr } = await runProgram(program, args, { timeoutMs: 60_000 });
    expect([code, stderr]).toEqual([0, expect.anything()]);
  };

  it('is read: repacked by umoci, copied by skopeo to each of its archives', async () => {
    requires('skopeo', 'umoci');
    const layout = join(stand.directory, 'umoci');
    const bundle = join(stand.directory, 'bundle');
    await run('umoci', 'init', '--layout', layout);
    await run('umoci', 'new', '--image', `${layout}:one`);
    await run('umoci', 'unpack', '--image', `${layout}:one`, bundle);
    await run('sh', '-c', `mkdir '${bundle}/rootfs/d' && echo 1 > '${bundle}/rootfs/d/f'`);
    await run('umoci', 'repack', '--image', `${layout}:one`, bundle);
    await run('sh', '-c', `rm '${bundle}/rootfs/d/f' && echo 2 > '${bundle}/rootfs/d/g'`);
    await run('umoci', 'repack', '--refresh-bundle', '--image', `${layout}:two`, bundle);
    await run('umoci', 'remove', '--image', `${layout}:one`);
    const copy = ['copy', '--quiet', '--insecure-policy', `oci:${layout}:two`];
    await run('skopeo', ...copy, `docker-archive:${stand.directory}/docker.tar:named/it:1`);
    await run('skopeo', ...copy, `oci-archive:${stand.directory}/oci.tar`);
    const [direct] = await stand.load({ path: layout, reference: 'direct' });
    expect(await stand.look((await stand.prepare('direct')).snapshot, 'find . -type f')).toBe(
      './d/g\n',
    );
    const [docker] = await stand.load({ path: join(stand.directory, 'docker.tar') });
    expect(docker?.references).toContain('named/it:1');
    const [oci] = await stand.load({ path: join(stand.directory, 'oci.tar'), reference: 'oci' });
    expect([docker?.layers.at(-1)?.chainId, oci?.id]).toEqual([
      direct?.layers.at(-1)?.chainId,
      direct?.id,
    ]);
  });
});

describe('names', () => {
  it('move, and the last one takes the image with it', async () => {
    const a = stand.file('a', archiveTar(dockerFiles({ layers: [BASE] })));
    const b = stand.file('b', archiveTar(dockerFiles({ layers: [OTHER] })));
    const [first] = await stand.load({ path: a, reference: 'app:1' });
    const [second] = await stand.load({ path: b, reference: 'app:1' });
    const channel = stand.service.channel;
    const tag = { source: first?.id.slice(7, 19) ?? '', target: 'docker.io/library/old' };
    await channel.unary(ImageServiceService.tagImage, tag);
    const byName = async (reference: string) =>
      (await channel.unary(ImageServiceService.getImage, { reference })).image?.id;
    expect([await byName('app:1'), await byName('old')]).toEqual([second?.id, first?.id]);
    await expect(byName('nothing')).rejects.toEqual(fails('IMAGE_NOT_FOUND'));
    await channel.unary(ImageServiceService.tagImage, { source: 'old', target: 'older' });
    await expect(stand.remove(first?.id ?? '')).rejects.toEqual(fails('INVALID_STATE'));
    expect(await stand.remove('old')).toEqual({ untagged: ['old:latest'], deleted: [] });
    expect((await stand.remove(first?.id ?? '')).deleted).toEqual([first?.id, digestOf(BASE)]);
    expect(await stand.list()).toHaveLength(1);
  });

  it('are listed by page, by repository and by name', async () => {
    for (const [index, layer] of [BASE, TOP, OTHER].entries()) {
      const path = stand.file('a', archiveTar(dockerFiles({ layers: [layer] })));
      await stand.load({ path, reference: index === 2 ? 'else' : `app:${index}` });
    }
    const list = (reference: string, pageSize = 0, pageToken = '') =>
      stand.service.channel.unary(ImageServiceService.listImages, {
        reference,
        pageSize,
        pageToken,
      });
    const first = await list('', 2);
    const second = await list('', 2, first.nextPageToken);
    const names = [first, second].map(({ images }) =>
      images.flatMap(({ references }) => references),
    );
    expect(names).toEqual([['else:latest', 'app:1'], ['app:0']]);
    expect(second.nextPageToken).toBe('');
    expect((await list('app')).images).toHaveLength(2);
    expect((await list('app:0')).images).toHaveLength(1);
    await expect(list('', 2, 'forged')).rejects.toEqual(fails('INVALID_ARGUMENT'));
  });
});

describe('an image in use', () => {
  it('stays whole until nothing stands on it', async () => {
    const path = stand.file('a', archiveTar(dockerFiles({ layers: LAYERS })));
    await stand.load({ path, reference: 'used' });
    const { snapshot } = await stand.prepare('used');
    const key = 'container/one';
    const prepare = { snapshotter: DRIVER, key, parent: snapshot, labels: {} };
    await stand.driver.channel.unary(SnapshotsService.prepare, prepare);
    await expect(stand.remove('used')).rejects.toEqual(fails('IMAGE_IN_USE'));
    expect((await stand.prepare('used')).snapshot).toBe(snapshot);
    await stand.driver.channel.unary(SnapshotsService.remove, { snapshotter: DRIVER, key });
    await stand.remove('used');
    expect([await stand.list(), await stand.snapshots(), stand.stored().blobs]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it('stays also where an image above it needs all of its layers', async () => {
    const load = (name: string, layers: Buffer[]) =>
      stand.load({ path: stand.file(name, archiveTar(dockerFiles({ layers }))), reference: name });
    await load('below', LAYERS.slice(0, 1));
    await load('above', LAYERS);
    const { snapshot } = await stand.prepare('below');
    const key = 'container/one';
    const prepare = { snapshotter: DRIVER, key, parent: snapshot, labels: {} };
    await stand.driver.channel.unary(SnapshotsService.prepare, prepare);
    await expect(stand.remove('below')).rejects.toEqual(fails('IMAGE_IN_USE'));
    await stand.driver.channel.unary(SnapshotsService.remove, { snapshotter: DRIVER, key });
    await stand.remove('below');
    await stand.remove('above');
    expect([await stand.list(), await stand.snapshots()]).toEqual([[], []]);
  });
});
