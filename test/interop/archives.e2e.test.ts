import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startContainerd, tempDir, type TestContainerd } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { output, startEngine, type Engine } from '../e2e/engine.js';
import { LAYERED_IMAGE, LAYERED_LOOK, LAYERED_SIGHT, writeLayeredImage } from './layered-image.js';
import { clientOf, podmanIn, startDocker, type Client } from './other-engines.js';

const TAG = '1';
const skopeo = clientOf('skopeo');
const umoci = clientOf('umoci');

/** What `teu image inspect` tells of the image. */
interface Facts {
  id: string;
  manifestDigest: string;
  repoTags: string[];
  layers: { diffId: string; digest: string }[];
}

// Archives to and fro between TEU and whoever else reads or writes them: what comes back is the same image.
let engine: Engine;
let containerd: TestContainerd;
let docker: Client;
let podman: Client;
let directory: string;
let original: Facts;
const cleanUp = new AsyncDisposableStack();
const at = (name: string): string => join(directory, name);
const teu = (...args: string[]): Promise<string> => output(engine, ...args);
const digestOf = (bytes: Buffer | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function facts(reference: string): Promise<Facts> {
  const [found] = JSON.parse(await teu('image', 'inspect', reference)) as Facts[];
  if (found === undefined) throw new Error('nothing was inspected');
  return found;
}

beforeAll(async () => {
  const own = tempDir();
  cleanUp.defer(() => own.remove());
  directory = own.path;
  engine = await startEngine([]);
  cleanUp.defer(() => engine.stop());
  containerd = await startContainerd();
  cleanUp.defer(() => containerd.stop());
  const started = await startDocker(at('docker'), containerd.address);
  cleanUp.defer(() => started.stop());
  docker = started.docker;
  podman = podmanIn(at('podman'));
  await writeLayeredImage(at('image.tar'));
  await teu('load', '-i', at('image.tar'));
  original = await facts(LAYERED_IMAGE);
  await teu('save', '-o', at('docker.tar'), LAYERED_IMAGE);
  await teu('save', '--type', 'oci', '-o', at('oci.tar'), LAYERED_IMAGE);
});
afterAll(() => cleanUp.disposeAsync());

describe('what teu save writes', () => {
  test('docker loads', async () => {
    await docker('load', '-i', at('docker.tar'));
    const [image] = JSON.parse(await docker('image', 'inspect', LAYERED_IMAGE)) as {
      Id: string;
      RootFS: { Layers: string[] };
    }[];
    expect(image?.Id).toBe(original.id);
    expect(image?.RootFS.Layers).toEqual(original.layers.map(({ diffId }) => diffId));
  });

  test.each(['docker.tar', 'oci.tar'])('podman loads: %s', async (file) => {
    await podman('load', '-i', at(file));
    const [image] = JSON.parse(await podman('image', 'inspect', LAYERED_IMAGE)) as {
      Id: string;
      Digest: string;
    }[];
    expect(`sha256:${image?.Id ?? ''}`).toBe(original.id);
    // Both are OCI layouts to podman, so it keeps the manifest.
    expect(image?.Digest).toBe(original.manifestDigest);
    await podman('rmi', LAYERED_IMAGE);
  });

  test.each(['docker.tar', 'oci.tar'])('skopeo reads as OCI layout: %s', async (file) => {
    const source = `oci-archive:${at(file)}:${TAG}`;
    const raw = await engine.teu(['image', 'inspect', '--raw', 'manifest', LAYERED_IMAGE]);
    expect(await skopeo('inspect', '--raw', source)).toBe(raw.stdout.trimEnd());
    await skopeo('copy', source, `oci:${at(`${file}.copy`)}:${TAG}`);
    const index = JSON.parse(readFileSync(at(`${file}.copy/index.json`), 'utf8')) as {
      manifests: { digest: string }[];
    };
    expect(index.manifests.map(({ digest }) => digest)).toEqual([original.manifestDigest]);
  });

  test('skopeo reads as docker archive', async () => {
    const source = `docker-archive:${at('docker.tar')}:${LAYERED_IMAGE}`;
    const config = await skopeo('inspect', '--config', '--raw', source);
    expect(digestOf(config)).toBe(original.id);
    await skopeo('copy', source, `dir:${at('from-docker-archive')}`);
  });

  test.each(['docker.tar', 'oci.tar'])('umoci unpacks: %s', async (file) => {
    const layout = at(`${file}.layout`);
    mkdirSync(layout);
    await clientOf('tar')('-C', layout, '-xf', at(file));
    await umoci('unpack', '--image', `${layout}:${TAG}`, at(`${file}.bundle`));
    expect(readFileSync(at(`${file}.bundle/rootfs/data/changed`), 'utf8')).toBe('changed above\n');
  });

  test.each(['docker.tar', 'oci.tar'])('containerd imports: %s', async (file) => {
    await containerd.ctr('images', 'import', '--snapshotter', 'overlayfs', at(file));
    const list = await containerd.ctr('images', 'list', `name==${LAYERED_IMAGE}`);
    expect(list).toContain(original.manifestDigest);
    if (file === 'docker.tar') await containerd.ctr('images', 'remove', '--sync', LAYERED_IMAGE);
  });
});

/** Writers of archives, by what of the image stays as it is: all, or all but how layers are compressed. */
const writers: [
  what: string,
  stays: 'manifest' | 'config',
  write: (path: string) => Promise<unknown>,
][] = [
  ['docker save', 'config', (path) => docker('save', '-o', path, LAYERED_IMAGE)],
  [
    'podman save',
    'config',
    (path) => podman('save', '--format', 'docker-archive', '-o', path, LAYERED_IMAGE),
  ],
  [
    'podman save as OCI archive',
    'config',
    (path) => podman('save', '--format', 'oci-archive', '-o', path, LAYERED_IMAGE),
  ],
  [
    'skopeo to a docker archive',
    'config',
    (path) =>
      skopeo(
        'copy',
        `oci-archive:${at('oci.tar')}:${TAG}`,
        `docker-archive:${path}:${LAYERED_IMAGE}`,
      ),
  ],
  [
    'skopeo to an OCI archive',
    'manifest',
    (path) =>
      skopeo(
        'copy',
        `oci-archive:${at('docker.tar')}:${TAG}`,
        `oci-archive:${path}:${LAYERED_IMAGE}`,
      ),
  ],
  [
    'skopeo to an OCI layout',
    'manifest',
    (path) => skopeo('copy', `oci-archive:${at('docker.tar')}:${TAG}`, `oci:${path}:${TAG}`),
  ],
  [
    'ctr images export',
    'manifest',
    (path) => containerd.ctr('images', 'export', path, LAYERED_IMAGE),
  ],
];

describe('teu load reads what is written by', () => {
  beforeAll(async () => {
    await podman('load', '-i', at('docker.tar'));
  });

  test.each(writers)('%s: the same %s', async (what, stays, write) => {
    const path = at(what.replaceAll(' ', '-'));
    await write(path);
    await teu('rmi', '--force', original.id);
    await teu('load', '-i', path, '--name', LAYERED_IMAGE);
    const loaded = await facts(LAYERED_IMAGE);
    expect(loaded.id).toBe(original.id);
    expect(loaded.layers.map(({ diffId }) => diffId)).toEqual(
      original.layers.map(({ diffId }) => diffId),
    );
    const isSame = loaded.manifestDigest === original.manifestDigest;
    expect(isSame).toBe(stays === 'manifest');
    if (!isSame) return;
    await teu('save', '-o', at('again.tar'), LAYERED_IMAGE);
    expect(digestOf(readFileSync(at('again.tar')))).toBe(digestOf(readFileSync(at('docker.tar'))));
  });

  test('umoci, which has changed it', async () => {
    const layout = at('docker.tar.layout');
    writeFileSync(at('docker.tar.bundle/rootfs/data/by-umoci'), 'umoci\n');
    await umoci('repack', '--image', `${layout}:changed`, at('docker.tar.bundle'));
    const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as {
      manifests: { digest: string; annotations: Record<string, string> }[];
    };
    const named = (tag: string) =>
      index.manifests.find(
        ({ annotations }) => annotations['org.opencontainers.image.ref.name'] === tag,
      );
    await umoci('rm', '--image', `${layout}:${TAG}`);
    await teu('load', '-i', layout, '--name', 'changed:1');
    expect((await facts('changed:1')).manifestDigest).toBe(named('changed')?.digest);
    const run = ['run', '--rm', 'changed:1', 'sh', '-c'];
    expect(await teu(...run, 'cat /data/by-umoci')).toBe('umoci');
  });

  test('what came back runs', async () => {
    expect(`${await teu('run', '--rm', LAYERED_IMAGE, 'sh', '-c', LAYERED_LOOK)}\n`).toBe(
      LAYERED_SIGHT,
    );
  });
});

test('names pass to and fro: several tags, and two images with the same tag', async () => {
  await teu('tag', LAYERED_IMAGE, 'teu.test/other:1');
  await teu('tag', LAYERED_IMAGE, 'teu.test/other:2');
  await teu('tag', 'changed:1', 'teu.test/third:1');
  await teu('save', '-o', at('names.tar'), 'teu.test/other', 'teu.test/third');
  const { stdout } = await engine.teu(['save', 'teu.test/third:1', 'teu.test/other']);
  expect(stdout.length).toBeGreaterThan(0);
  for (const load of [docker, podman]) {
    await load('load', '-i', at('names.tar'));
    const listed = await load('images', '--format', '{{.Repository}}:{{.Tag}}');
    expect(listed.split('\n')).toEqual(
      expect.arrayContaining(['teu.test/other:1', 'teu.test/other:2', 'teu.test/third:1']),
    );
  }
  await containerd.ctr('images', 'import', '--no-unpack', at('names.tar'));
  expect(await containerd.ctr('images', 'list', '--quiet')).toContain('teu.test/third:1');
});
