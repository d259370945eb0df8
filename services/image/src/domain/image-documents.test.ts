import { isTeuError } from '@teu/errors';
import { describe, expect, it } from 'vitest';
import { chainIds } from './chain-id.js';
import { digestOf } from './digest.js';
import { generateManifest, generateRootfsConfig } from './generated-documents.js';
import { parseImageConfig } from './image-config.js';
import { parseManifest } from './manifest.js';
import { layerCompression, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from './media-types.js';

const DIFF = digestOf('layer');
const encode = (document: unknown) => Buffer.from(JSON.stringify(document));
const config = (document: object) =>
  encode({ os: 'linux', rootfs: { type: 'layers', diff_ids: [DIFF] }, ...document });

describe('chain ids', () => {
  it('are those of the image specification', () => {
    const [a, b, c] = ['a', 'b', 'c'].map(digestOf) as [string, string, string];
    const ab = digestOf(`${a} ${b}`);
    expect(chainIds([a, b, c])).toEqual([a, ab, digestOf(`${ab} ${c}`)]);
    expect(chainIds([])).toEqual([]);
  });
});

describe('what is generated', () => {
  it('can be read again, and is the same each time', () => {
    const bytes = generateRootfsConfig(DIFF, 'amd64');
    expect(parseImageConfig(bytes)).toMatchObject({ architecture: 'amd64', diffIds: [DIFF] });
    expect(generateRootfsConfig(DIFF, 'amd64')).toEqual(bytes);
    const layer = { mediaType: OCI_LAYER, digest: DIFF, size: 5 };
    const manifest = generateManifest({ digest: digestOf(bytes), size: bytes.length }, [layer]);
    expect(parseManifest(manifest, OCI_MANIFEST)).toMatchObject({
      kind: 'manifest',
      manifest: { layers: [layer], config: { digest: digestOf(bytes) } },
    });
  });
});

describe('a config', () => {
  it('tells what a container runs', () => {
    const run = {
      User: '1:2',
      Env: ['A=b'],
      Entrypoint: '/one',
      Cmd: null,
      WorkingDir: '/w',
      StopSignal: 'SIGINT',
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Volumes: { '/v': {} },
      Labels: { a: 'b' },
    };
    expect(parseImageConfig(config({ created: 'not a time', config: run })).config).toEqual({
      user: '1:2',
      env: ['A=b'],
      entrypoint: ['/one'],
      cmd: [],
      workingDir: '/w',
      stopSignal: 'SIGINT',
      exposedPorts: ['53/udp', '80/tcp'],
      volumes: ['/v'],
      labels: { a: 'b' },
    });
  });

  it.each([
    { rootfs: undefined },
    { rootfs: { type: 'other', diff_ids: [] } },
    { rootfs: { type: 'layers', diff_ids: ['sha256:short'] } },
    { rootfs: { type: 'layers', diff_ids: Array.from({ length: 513 }, () => DIFF) } },
    { config: { Env: [1] } },
    { config: { User: 'a\0b' } },
    { config: { Labels: [] } },
    { history: Array.from({ length: 2049 }, () => ({})) },
  ])('is refused: %j', (document) => {
    expect(() => parseImageConfig(config(document))).toThrow(
      expect.toSatisfy((error) => isTeuError(error, 'IMAGE_INVALID')),
    );
  });
});

describe('a manifest', () => {
  const descriptor = { mediaType: OCI_MANIFEST, digest: DIFF, size: 1 };

  it('may be an index', () => {
    const index = { schemaVersion: 2, manifests: [{ ...descriptor, platform: { os: 'linux' } }] };
    expect(parseManifest(encode(index), OCI_INDEX)).toMatchObject({
      kind: 'index',
      manifests: [{ digest: DIFF, platform: { os: 'linux', architecture: '' } }],
    });
  });

  it.each([
    { schemaVersion: 2, manifests: [], layers: [] },
    { schemaVersion: 2, manifests: [], config: {} },
    { schemaVersion: 2, fsLayers: [] },
    { schemaVersion: 2, mediaType: OCI_MANIFEST, manifests: [] },
    { schemaVersion: 1, manifests: [] },
    { schemaVersion: 2 },
    { schemaVersion: 2, manifests: [{ ...descriptor, size: -1 }] },
    { schemaVersion: 2, manifests: [{ ...descriptor, size: 1e300 }] },
    { schemaVersion: 2, manifests: [{ ...descriptor, digest: `sha256:${'A'.repeat(64)}` }] },
    { schemaVersion: 2, manifests: [7] },
  ])('is refused as an index: %j', (document) => {
    expect(() => parseManifest(encode(document), OCI_INDEX)).toThrow(
      expect.toSatisfy((error) => isTeuError(error, 'IMAGE_INVALID')),
    );
  });

  it('has layers of known media types only', () => {
    expect(layerCompression(`${OCI_LAYER}+zstd`)).toBe('zstd');
    expect(() => layerCompression('application/x-evil')).toThrow('not supported');
  });
});
