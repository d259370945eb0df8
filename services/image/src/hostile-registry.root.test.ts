import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { TransferStep } from '@teu/proto/image';
import { requires, waitFor } from '@teu/testing';
import { startStub } from '@teu/registry/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from './domain/digest.js';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from './domain/media-types.js';
import { pull } from './testing/distribution-calls.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { makeConfig, ociFiles, type ArchiveFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';
import { serveBytes, startStubImage, type StubHook, type StubImage } from './testing/stub-image.js';

const LAYERS = [makeTar({ name: 'f', data: 'data' }), makeTar({ name: 'g', data: 'more' })];
const FILES = ociFiles({ layers: LAYERS });
const json = (document: unknown): Buffer => Buffer.from(JSON.stringify(document));

let stand: ImageStand;
let stubs: StubImage[] = [];

beforeAll(async () => {
  requires('root', 'overlayfs');
  stand = await startImageStand({
    env: {
      TEU_IMAGE_REGISTRY_RETRY: '10ms',
      TEU_IMAGE_REGISTRIES_FILE: '/nonexistent/registries.json',
    },
  });
});

afterAll(async () => {
  await stand.stop();
});

afterEach(async () => {
  await Promise.all(stubs.map((stub) => stub.stop()));
  stubs = [];
  for (const { id } of await stand.list()) await stand.remove(id, true);
  await waitFor(
    async () => {
      expect(await stand.snapshots()).toEqual([]);
      expect(stand.stored()).toEqual({ blobs: [], staging: [] });
      return true;
    },
    { what: 'nothing to be left' },
  );
});

async function start(files: ArchiveFiles, hook?: StubHook): Promise<StubImage> {
  const stub = await startStubImage(files, hook);
  stubs.push(stub);
  return stub;
}

const pullFrom = (stub: Pick<StubImage, 'host'>, more: object = {}) =>
  pull(stand.service, { reference: `${stub.host}/app:1`, ...more });

/** An image whose manifest is another. */
function spoiled(edit: (manifest: Record<string, unknown>) => void): ArchiveFiles {
  return ociFiles({ layers: LAYERS }, ({ manifest }) => {
    edit(manifest);
  });
}

const manifestAs =
  (type: string, bytes?: Buffer): StubHook =>
  (request, response) =>
    request.url.includes('/manifests/')
      ? serveBytes(request, response, bytes ?? Buffer.from('{}'), type)
      : false;

describe('a manifest is refused', () => {
  it.each([
    [
      'that is an index as well',
      spoiled((manifest) => (manifest['manifests'] = [])),
      'IMAGE_INVALID',
    ],
    ['with fsLayers', spoiled((manifest) => (manifest['fsLayers'] = [])), 'IMAGE_INVALID'],
    [
      'with too many layers',
      spoiled((manifest) => (manifest['layers'] = Array.from({ length: 513 }, () => ({})))),
      'IMAGE_INVALID',
    ],
    [
      'with a layer of another digest',
      spoiled((manifest) => {
        const layers = manifest['layers'] as { digest: string }[];
        if (layers[0]) layers[0].digest = 'md5:abc';
      }),
      'IMAGE_INVALID',
    ],
    [
      'with a layer from elsewhere of a foreign type',
      spoiled((manifest) => {
        const layers = manifest['layers'] as { mediaType: string; urls?: string[] }[];
        if (!layers[0]) return;
        layers[0].mediaType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
        layers[0].urls = ['http://127.0.0.1:1/layer'];
      }),
      'IMAGE_UNSUPPORTED',
    ],
    [
      'of an artifact',
      spoiled((manifest) => {
        (manifest['config'] as { mediaType: string }).mediaType =
          'application/vnd.oci.empty.v1+json';
      }),
      'IMAGE_UNSUPPORTED',
    ],
  ])('%s', async (_, files, reason) => {
    const stub = await start(files);
    await expect(pullFrom(stub)).rejects.toMatchObject({ reason });
    expect(stub.blobsSeen()).toEqual([]);
  });

  it.each([
    [
      'of schema 1',
      manifestAs('application/vnd.docker.distribution.manifest.v1+prettyjws'),
      'IMAGE_UNSUPPORTED',
    ],
    ['of no known type', manifestAs('text/html'), 'IMAGE_INVALID'],
    ['without a type', manifestAs(''), 'IMAGE_INVALID'],
    [
      'that calls itself something else',
      manifestAs(OCI_INDEX, FILES[Object.keys(FILES)[0] ?? '']),
      'IMAGE_INVALID',
    ],
    [
      'that is too large',
      manifestAs(OCI_MANIFEST, Buffer.alloc(4 * 2 ** 20 + 1, ' ')),
      'IMAGE_INVALID',
    ],
    ['that is deep', manifestAs(OCI_MANIFEST, Buffer.from('['.repeat(100_000))), 'IMAGE_INVALID'],
  ] as const)('%s', async (_, hook, reason) => {
    const stub = await start(FILES, hook);
    await expect(pullFrom(stub)).rejects.toMatchObject({ reason });
    expect(stub.blobsSeen()).toEqual([]);
  });
});

describe('urls of a layer', () => {
  it('are not fetched: the registry has it, or nobody', async () => {
    let canaries = 0;
    const canary = await startStub((_, response) => {
      canaries += 1;
      return response.writeHead(200).end();
    });
    const files = spoiled((manifest) => {
      for (const layer of manifest['layers'] as { urls?: string[] }[]) {
        layer.urls = [`http://${canary.host}/layer`];
      }
    });
    const first = digestOf(LAYERS[0] ?? '');
    const stub = await start(files, ({ url }, response) =>
      url.includes(first) ? response.destroy() : false,
    );
    stub.seen.length = 0;
    await expect(pullFrom(stub)).rejects.toMatchObject({ reason: 'REGISTRY_UNAVAILABLE' });
    expect([canaries, canary.connections()]).toEqual([0, 0]);
    await canary.stop();
  });
});

describe('a layer', () => {
  it('that is not what the config says leaves nothing, and others of it are kept', async () => {
    const wrong = ociFiles({ layers: LAYERS }, ({ manifest }) => {
      const layers = manifest['layers'] as { digest: string; size: number }[];
      const [first, second] = layers;
      if (first && second) [layers[0], layers[1]] = [second, first];
    });
    await expect(pullFrom(await start(wrong))).rejects.toMatchObject({ reason: 'DIGEST_MISMATCH' });
  });

  /** Of which nothing was kept by a pull before. */
  const freshLayers = () => [makeTar({ name: 'f', data: randomBytes(100_000) })];

  it('that is corrupt is brought once more and no more', async () => {
    const layers = freshLayers();
    const stub = await start(ociFiles({ layers }), (request, response) => {
      if (!request.url.includes(`/blobs/${layers.map(digestOf)[0] ?? ''}`)) return false;
      const bytes = Buffer.from(layers[0] ?? '');
      bytes[99_999] = (bytes[99_999] ?? 0) ^ 1;
      return serveBytes(request, response, bytes);
    });
    await expect(pullFrom(stub)).rejects.toMatchObject({ reason: 'DIGEST_MISMATCH' });
    expect(stub.blobsSeen().filter((seen) => seen === layers.map(digestOf)[0])).toHaveLength(2);
  });

  it('that is corrupt at first is unpacked when it is right', async () => {
    const layers = freshLayers();
    let count = 0;
    const stub = await start(ociFiles({ layers }), (request, response) => {
      if (!request.url.includes(`/blobs/${layers.map(digestOf)[0] ?? ''}`)) return false;
      count += 1;
      if (count > 1) return false;
      return serveBytes(request, response, Buffer.alloc((layers[0] ?? '').length, 1));
    });
    const { result } = await pullFrom(stub);
    expect([count, result.image?.layers.map(({ diffId }) => diffId)]).toEqual([
      2,
      layers.map(digestOf),
    ]);
    expect(
      await stand.look((await stand.prepare(`${stub.host}/app:1`)).snapshot, 'wc -c < f'),
    ).toBe('100000\n');
  });

  it('that unpacks to too much is refused while it comes', async () => {
    const bomb = gzipSync(makeTar({ name: 'f', data: Buffer.alloc(1000) }).subarray(0, 512));
    const config = makeConfig({ layers: LAYERS });
    const manifest = json({
      schemaVersion: 2,
      config: { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length },
      layers: [bomb, bomb].map((bytes) => ({
        ...{ mediaType: `${OCI_LAYER}+gzip`, digest: digestOf(bytes), size: bytes.length },
      })),
    });
    const files: ArchiveFiles = {
      [`blobs/${digestOf(config).replace(':', '/')}`]: config,
      [`blobs/${digestOf(bomb).replace(':', '/')}`]: bomb,
      [`blobs/${digestOf(manifest).replace(':', '/')}`]: manifest,
      'index.json': json({ manifests: [{ digest: digestOf(manifest), mediaType: OCI_MANIFEST }] }),
    };
    await expect(pullFrom(await start(files))).rejects.toMatchObject({ reason: 'LAYER_INVALID' });
  });
});

describe('an index', () => {
  it('gives the image for the platform, and says which there are', async () => {
    const entry = (JSON.parse(String(FILES['index.json'])) as { manifests: object[] }).manifests[0];
    const platforms = [
      { os: 'linux', architecture: 'mips', variant: 'v9' },
      { os: 'windows', architecture: 'amd64' },
    ];
    const index = json({
      ...{ schemaVersion: 2, mediaType: OCI_INDEX },
      manifests: platforms.map((platform) => ({ ...entry, platform })),
    });
    const files = {
      ...FILES,
      [`blobs/${digestOf(index).replace(':', '/')}`]: index,
      'index.json': json({ manifests: [{ digest: digestOf(index), mediaType: OCI_INDEX }] }),
    };
    const stub = await start(files);
    await expect(pullFrom(stub)).rejects.toMatchObject({
      reason: 'IMAGE_UNSUPPORTED',
      metadata: { available: 'linux/mips/v9, windows/amd64' },
    });
  });
});

describe('pulls of one image at once', () => {
  it('download each blob once', async () => {
    const large = makeTar({ name: 'large', data: randomBytes(400_000) });
    const stub = await start(ociFiles({ layers: [...LAYERS, large] }));
    const names = ['a', 'b', 'c', 'd'].map((tag) => `${stub.host}/app:${tag}`);
    await Promise.all(names.map((reference) => pull(stand.service, { reference })));
    const layers = stub.blobsSeen().filter((digest) => digest === digestOf(large));
    expect(layers).toHaveLength(1);
    expect((await stand.list())[0]?.references).toEqual(names);
  });

  it('go on when the one that began is given up', async () => {
    const large = makeTar({ name: 'large', data: randomBytes(400_000) });
    const digest = digestOf(large);
    let isHeld = true;
    const stub = await start(ociFiles({ layers: [...LAYERS, large] }), (request, response) => {
      if (!request.url.includes(`/blobs/${digest}`) || !isHeld) return false;
      isHeld = false;
      response.writeHead(200, { 'content-length': large.length });
      return response.write(large.subarray(0, 100_000));
    });
    const abort = new AbortController();
    const reference = `${stub.host}/app:1`;
    const first = pull(stand.service, { reference }, abort.signal);
    first.catch(() => undefined);
    await waitFor(() => Promise.resolve(!isHeld), { what: 'the first pull' });
    const second = pull(stand.service, { reference });
    abort.abort();
    await expect(first).rejects.toMatchObject({ reason: 'CANCELLED' });
    expect((await second).result.image?.layers).toHaveLength(3);
  });
});

describe('a pull without unpacking', () => {
  it('brings what a container then stands on', async () => {
    const stub = await start(FILES);
    const { result, progress } = await pullFrom(stub, { skipUnpack: true });
    expect(progress.map(({ step }) => step)).not.toContain(TransferStep.TRANSFER_STEP_EXISTS);
    expect(await stand.snapshots()).toEqual([]);
    const { snapshot } = await stand.prepare(result.image?.id ?? '');
    expect(await stand.look(snapshot, 'cat f g')).toBe('datamore');
    expect((await stand.list())[0]?.sizeBytes).toBe(8);
  });
});

describe('a mirror', () => {
  it('is asked first, and the registry for what it does not have', async () => {
    const missing = digestOf(LAYERS[1] ?? '');
    const mirror = await start(FILES, ({ url }, response) =>
      url.includes(`/blobs/${missing}`) ? response.writeHead(404).end() : false,
    );
    const registry = await start(FILES);
    const file = join(stand.directory, 'registries.json');
    writeFileSync(
      file,
      JSON.stringify({ registries: { [registry.host]: { mirrors: [mirror.host] } } }),
    );
    stand.service.kill('SIGTERM');
    await stand.restart({ TEU_IMAGE_REGISTRIES_FILE: file, TEU_IMAGE_REGISTRY_RETRY: '10ms' });
    const { resolution } = await pullFrom(registry);
    expect(resolution?.host).toBe(mirror.host);
    expect(registry.seen.map(({ url }) => url)).toContain(`/v2/app/blobs/${missing}`);
    expect(registry.seen.filter(({ url }) => url.includes('/manifests/'))).toEqual([]);
    writeFileSync(file, '{"registries": {"x": {"mirror": []}}}');
    await expect(pullFrom(registry)).rejects.toMatchObject({ reason: 'INVALID_STATE' });
  });
});
