import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isTeuError, type Reason } from '@teu/errors';
import { ArchiveFormat, ArchiveServiceService } from '@teu/proto/image';
import { requires, runProgram } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from './domain/digest.js';
import { download, history, save } from './testing/archive-calls.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import {
  archiveTar,
  dockerFiles,
  makeConfig,
  ociFiles,
  type ArchiveFiles,
} from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';

const BASE = makeTar({ name: 'etc/', type: '5' }, { name: 'etc/base', data: 'base' });
const TOP = makeTar({ name: 'etc/top', data: 'top' });
const OTHER = makeTar({ name: 'etc/other', data: 'other'.repeat(1000) });
const { ARCHIVE_FORMAT_DOCKER, ARCHIVE_FORMAT_OCI_LAYOUT, ARCHIVE_FORMAT_ROOTFS } = ArchiveFormat;

let stand: ImageStand;
let blobs: ArchiveFiles;

beforeAll(async () => {
  requires('root', 'overlayfs');
  stand = await startImageStand();
  blobs = ociFiles({ layers: [BASE, TOP], compression: 'gzip', name: 'localhost:5000/app:1' });
  await stand.load({ path: stand.file('app', archiveTar(blobs)) });
  const path = stand.file('other', archiveTar(dockerFiles({ layers: [BASE, OTHER] })));
  await stand.load({ path, reference: 'other' });
  await stand.load({ path, reference: 'other:2' });
});

afterAll(async () => {
  await stand.stop();
});

const fails = (reason: Reason) =>
  expect.toSatisfy((error: unknown) => isTeuError(error, reason)) as unknown;

/** Names of members in their order, and their content by name, as GNU tar sees them. */
async function unpack(archive: Buffer): Promise<{ names: string[]; files: ArchiveFiles }> {
  const directory = join(stand.directory, `unpacked-${digestOf(archive).slice(7, 19)}`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'archive.tar'), archive);
  const listed = await runProgram('tar', ['-C', directory, '-xvf', join(directory, 'archive.tar')]);
  expect([listed.code, listed.stderr]).toEqual([0, '']);
  const names = listed.stdout.trim().split('\n');
  const plain = names.filter((name) => !name.endsWith('/'));
  const files = plain.map((name): [string, Buffer] => [name, readFileSync(join(directory, name))]);
  return { names, files: Object.fromEntries(files) };
}

const parsed = (files: ArchiveFiles, name: string): unknown => JSON.parse(String(files[name]));

describe('a saved image', () => {
  it('is a docker archive and an OCI layout in one, with every blob as it came', async () => {
    const path = join(stand.directory, 'saved');
    const result = await save(stand, path, ['localhost:5000/app:1']);
    const archive = readFileSync(path);
    expect(result).toEqual({ totalBytes: archive.length, digest: digestOf(archive) });
    const { names, files } = await unpack(archive);
    expect(names.slice(0, 4)).toEqual([
      'oci-layout',
      'index.json',
      'manifest.json',
      'repositories',
    ]);
    const came = Object.keys(blobs).filter((name) => name.startsWith('blobs/'));
    for (const name of came) expect(files[name]?.equals(blobs[name] ?? Buffer.alloc(0))).toBe(true);
    expect(Object.keys(files)).toHaveLength(4 + came.length);
    const entry = (parsed(blobs, 'index.json') as { manifests: object[] }).manifests[0];
    expect(parsed(files, 'index.json')).toMatchObject({
      manifests: [
        {
          ...entry,
          annotations: {
            'io.containerd.image.name': 'localhost:5000/app:1',
            'org.opencontainers.image.ref.name': '1',
          },
        },
      ],
    });
    expect(parsed(files, 'manifest.json')).toMatchObject([{ RepoTags: ['localhost:5000/app:1'] }]);
    expect(parsed(files, 'repositories')).toHaveProperty(['localhost:5000/app', '1']);
  });

  it('has the same bytes in a file, as a download, and whenever it is saved', async () => {
    const references = ['other', 'localhost:5000/app'];
    for (const format of [ARCHIVE_FORMAT_DOCKER, ARCHIVE_FORMAT_OCI_LAYOUT]) {
      const path = join(stand.directory, 'same');
      await save(stand, path, references, format);
      const bytes = await download(stand, references.toReversed(), format);
      expect(digestOf(bytes)).toBe(digestOf(readFileSync(path)));
    }
  });

  it('shares layers with others in the archive, and has all tags of its repository', async () => {
    const { files } = await unpack(await download(stand, ['other', 'localhost:5000/app:1']));
    // Two manifests, two configs; BASE is there in gzip only, as its first image brought it.
    expect(Object.keys(files).filter((name) => name.startsWith('blobs/'))).toHaveLength(7);
    const list = parsed(files, 'manifest.json') as { RepoTags: string[] }[];
    expect(list.map(({ RepoTags }) => RepoTags).sort()).toEqual([
      ['localhost:5000/app:1'],
      ['other:2', 'other:latest'],
    ]);
  });

  it('of one tag has that tag, by its id none', async () => {
    const one = (await unpack(await download(stand, ['other:2']))).files;
    expect(parsed(one, 'manifest.json')).toMatchObject([{ RepoTags: ['other:2'] }]);
    const image = (await stand.list()).find(({ references }) => references.includes('other:2'));
    const none = (await unpack(await download(stand, [image?.id ?? '']))).files;
    expect(parsed(none, 'manifest.json')).toMatchObject([{ RepoTags: [] }]);
    expect(none).not.toHaveProperty('repositories');
  });

  it('comes back the same', async () => {
    const path = join(stand.directory, 'back');
    await save(stand, path, ['other', 'localhost:5000/app:1']);
    const before = await stand.list();
    for (const name of ['other:2', 'other:latest', 'localhost:5000/app:1'])
      await stand.remove(name);
    expect(await stand.list()).toEqual([]);
    await stand.load({ path });
    const facts = (images: typeof before) =>
      images
        .map(({ id, manifestDigest, references, layers }) => ({
          id,
          manifestDigest,
          references,
          layers,
        }))
        .sort((one, other) => (one.id < other.id ? -1 : 1));
    expect(facts(await stand.list())).toEqual(facts(before));
  });
});

describe('a save is refused', () => {
  const place = (name: string) => join(stand.directory, name);

  it('when the path is no place for a file', async () => {
    mkdirSync(place('directory'));
    symlinkSync('/dev/null', place('link'));
    for (const path of [place('directory'), place('link'), '/dev/null', 'x', place('no/such')]) {
      await expect(save(stand, path, ['other'])).rejects.toEqual(fails('INVALID_ARGUMENT'));
    }
  });

  it('of nothing, of what is not there, and in a form that is none', async () => {
    const path = place('refused');
    await expect(save(stand, path, [])).rejects.toEqual(fails('INVALID_ARGUMENT'));
    await expect(save(stand, path, ['other', 'gone'])).rejects.toEqual(fails('IMAGE_NOT_FOUND'));
    await expect(save(stand, path, ['other'], ARCHIVE_FORMAT_ROOTFS)).rejects.toEqual(
      fails('INVALID_ARGUMENT'),
    );
    expect(readdirSync(stand.directory)).not.toContain('refused');
  });

  it('when the disk is full, and leaves nothing', async () => {
    const directory = place('small');
    mkdirSync(directory);
    await runProgram('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', directory]);
    try {
      await expect(save(stand, join(directory, 'a'), ['other'])).rejects.toEqual(
        fails('STORAGE_FULL'),
      );
      expect(readdirSync(directory)).toEqual([]);
    } finally {
      await runProgram('umount', [directory]);
    }
  });

  it('when a blob is damaged, and what was there before stays', async () => {
    const path = place('before');
    writeFileSync(path, 'before');
    const layer = (await stand.list()).find(({ references }) => references.includes('other:2'))
      ?.layers[1];
    const blob = join(stand.dataDir, 'image/blobs/sha256', layer?.digest.slice(7) ?? '');
    const whole = readFileSync(blob);
    const damaged = Buffer.from(whole);
    damaged[600] = (damaged[600] ?? 0) ^ 1;
    for (const [bytes, reason] of [
      [damaged, 'DIGEST_MISMATCH'],
      [whole.subarray(1), 'DIGEST_MISMATCH'],
      [Buffer.concat([whole, whole]), 'DIGEST_MISMATCH'],
    ] as [Buffer, Reason][]) {
      writeFileSync(blob, bytes);
      await expect(save(stand, path, ['other'])).rejects.toEqual(fails(reason));
      await expect(download(stand, ['other'])).rejects.toEqual(fails(reason));
    }
    writeFileSync(blob, whole);
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(stand.directory).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

describe('an image', () => {
  const documents = (reference: string) =>
    stand.service.channel.unary(ArchiveServiceService.getImageDocuments, { reference });

  it('gives its documents byte by byte', async () => {
    const { manifest, config, manifestMediaType } = await documents('localhost:5000/app:1');
    const [image] = (await stand.list()).filter(({ references }) => references.length === 1);
    expect([digestOf(config), digestOf(manifest)]).toEqual([image?.id, image?.manifestDigest]);
    expect(manifestMediaType).toBe('application/vnd.oci.image.manifest.v1+json');
    await expect(documents('gone')).rejects.toEqual(fails('IMAGE_NOT_FOUND'));
  });

  it('without a history has an entry for each layer', async () => {
    const entries = await history(stand, 'other');
    expect(entries).toMatchObject([
      { diffId: digestOf(OTHER), createdBy: '', references: ['other:2', 'other:latest'] },
      { diffId: digestOf(BASE), createdBy: '', references: [] },
    ]);
  });

  it('tells its history newest first, with the layers that its steps made', async () => {
    const steps = [
      { created: '2020-01-01T00:00:00Z', created_by: 'ADD base', author: 'me' },
      { created: 'never', created_by: 'ENV a=b', empty_layer: true },
      { created_by: 'COPY top', comment: 'on top' },
    ];
    const input = { layers: [BASE, TOP] };
    const config = { ...(JSON.parse(String(makeConfig(input))) as object), history: steps };
    const files = dockerFiles(input);
    const [entry] = JSON.parse(String(files['manifest.json'])) as { Config: string }[];
    files['config.json'] = Buffer.from(JSON.stringify(config));
    files['manifest.json'] = Buffer.from(JSON.stringify([{ ...entry, Config: 'config.json' }]));
    await stand.load({ path: stand.file('told', archiveTar(files)), reference: 'told' });
    const entries = await history(stand, 'told');
    expect(entries.map(({ createdBy }) => createdBy)).toEqual(['COPY top', 'ENV a=b', 'ADD base']);
    expect(entries).toMatchObject([
      { comment: 'on top', diffId: digestOf(TOP), isEmptyLayer: false, sizeBytes: 3 },
      { diffId: '', isEmptyLayer: true, references: [] },
      { author: 'me', diffId: digestOf(BASE), createTime: new Date('2020-01-01T00:00:00Z') },
    ]);
    await stand.remove('told');
  });
});

describe('what docker 25.0 saved', () => {
  it('has manifests without layers, and is read by its other index', async () => {
    const files = { ...dockerFiles({ layers: [OTHER], name: 'old:25' }) };
    const layout = ociFiles({ layers: [OTHER] }, ({ manifest }) => (manifest['layers'] = []));
    const path = stand.file('docker-25', archiveTar({ ...files, ...layout }));
    expect(await stand.load({ path })).toMatchObject([{ references: ['old:25'] }]);
    await stand.remove('old:25');
  });
});
