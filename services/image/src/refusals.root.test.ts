import { gzipSync } from 'node:zlib';
import { isTeuError, type Reason } from '@teu/errors';
import { ArchiveFormat, ImageServiceService, LoadImageRequest } from '@teu/proto/image';
import { requires } from '@teu/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, dockerFiles, ociFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';

const LAYER = makeTar({ name: 'etc/', type: '5' }, { name: 'etc/f', data: 'f' });
const HOSTILE = makeTar({ name: 'a', data: 'a' }, { name: '../x', data: 'x' });
const ZEROS = `sha256:${'0'.repeat(64)}`;

let stand: ImageStand;

beforeAll(async () => {
  requires('root', 'overlayfs');
  stand = await startImageStand({
    env: { TEU_IMAGE_MAX_LAYER_BYTES: '1MiB', TEU_IMAGE_MAX_UPLOAD_BYTES: '1MiB' },
  });
});

afterAll(async () => {
  await stand.stop();
});

afterEach(async () => {
  // Whatever was refused has left nothing.
  expect(await stand.list()).toEqual([]);
  expect(await stand.snapshots()).toEqual([]);
  expect(stand.stored()).toEqual({ blobs: [], staging: [] });
});

async function refusal(archive: Buffer, format?: ArchiveFormat) {
  const path = stand.file('archive', archive);
  const request = { path, reference: 'refused', ...(format === undefined ? {} : { format }) };
  const error: unknown = await stand.load(request).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isTeuError(error)) throw new Error('it was not refused');
  return error;
}

const oci = (edit?: Parameters<typeof ociFiles>[1], layer = LAYER) =>
  archiveTar(ociFiles({ layers: [layer] }, edit));
const docker = (manifest: unknown, layer = LAYER) =>
  archiveTar({
    ...dockerFiles({ layers: [layer] }),
    'manifest.json': Buffer.from(JSON.stringify(manifest)),
  });
const layersOf = (manifest: Record<string, unknown>) =>
  manifest['layers'] as Record<string, unknown>[];

describe('an archive is refused', () => {
  const cases: [string, () => Buffer, Reason][] = [
    [
      'that is both manifest and index',
      () => oci(({ manifest }) => (manifest['manifests'] = [])),
      'IMAGE_INVALID',
    ],
    [
      'whose manifest says it is an index',
      () =>
        oci(({ manifest }) => (manifest['mediaType'] = 'application/vnd.oci.image.index.v1+json')),
      'IMAGE_INVALID',
    ],
    ['of schema 1', () => oci(({ manifest }) => (manifest['schemaVersion'] = 1)), 'IMAGE_INVALID'],
    [
      'with a digest of another algorithm',
      () =>
        oci(({ manifest }) => ((layersOf(manifest)[0] ?? {})['digest'] = `md5:${'0'.repeat(32)}`)),
      'IMAGE_INVALID',
    ],
    [
      'with a path for a digest',
      () =>
        oci(
          ({ manifest }) =>
            ((layersOf(manifest)[0] ?? {})['digest'] = 'sha256:../../../../etc/passwd'),
        ),
      'IMAGE_INVALID',
    ],
    [
      'with a layer that is not there',
      () => oci(({ manifest }) => ((layersOf(manifest)[0] ?? {})['digest'] = ZEROS)),
      'ARCHIVE_INVALID',
    ],
    [
      'with a wrong size',
      () => oci(({ manifest }) => ((layersOf(manifest)[0] ?? {})['size'] = 7)),
      'IMAGE_INVALID',
    ],
    [
      'with a foreign layer',
      () =>
        oci(
          ({ manifest }) =>
            ((layersOf(manifest)[0] ?? {})['mediaType'] =
              'application/vnd.oci.image.layer.nondistributable.v1.tar'),
        ),
      'IMAGE_UNSUPPORTED',
    ],
    [
      'that lies about compression',
      () =>
        oci(
          ({ manifest }) =>
            ((layersOf(manifest)[0] ?? {})['mediaType'] =
              'application/vnd.oci.image.layer.v1.tar+gzip'),
        ),
      'LAYER_INVALID',
    ],
    [
      'with more layers than its config',
      () => oci(({ manifest }) => layersOf(manifest).push(...layersOf(manifest))),
      'IMAGE_INVALID',
    ],
    [
      'with 513 layers',
      () =>
        oci(
          ({ manifest }) =>
            (manifest['layers'] = Array.from({ length: 513 }, () => layersOf(manifest)[0])),
        ),
      'IMAGE_INVALID',
    ],
    [
      'whose config is a layer',
      () =>
        docker([
          {
            Config: Object.keys(dockerFiles({ layers: [LAYER] })).find((name) =>
              name.endsWith('layer.tar'),
            ),
            Layers: [],
            RepoTags: null,
          },
        ]),
      'IMAGE_INVALID',
    ],
    [
      'that names files outside of it',
      () => docker([{ Config: '../../../etc/passwd', Layers: [] }]),
      'ARCHIVE_INVALID',
    ],
    [
      'that names absolute files',
      () => docker([{ Config: '/etc/passwd', Layers: [] }]),
      'ARCHIVE_INVALID',
    ],
    ['with a manifest that is no list', () => docker({ Config: 'x' }), 'IMAGE_INVALID'],
    ['without an image', () => docker([]), 'ARCHIVE_INVALID'],
    ['with a manifest of 5 MiB', () => docker([' '.repeat(5 * 2 ** 20)]), 'IMAGE_INVALID'],
    [
      'with a bad name',
      () =>
        docker([
          {
            ...(
              JSON.parse(String(dockerFiles({ layers: [LAYER] })['manifest.json'])) as object[]
            )[0],
            RepoTags: ['UP:case'],
          },
        ]),
      'INVALID_ID',
    ],
    ['with a hostile layer', () => oci(undefined, HOSTILE), 'LAYER_INVALID'],
    [
      'with a layer that is too large',
      () => oci(undefined, makeTar({ name: 'z', data: Buffer.alloc(2 ** 21) })),
      'LAYER_TOO_LARGE',
    ],
    [
      'with a layer that is too large in gzip',
      () => gzipSync(makeTar({ name: 'usr/z', data: Buffer.alloc(2 ** 21) })),
      'LAYER_TOO_LARGE',
    ],
    ['that is empty', () => Buffer.alloc(1024), 'ARCHIVE_INVALID'],
    ['that is no archive', () => Buffer.from('no tar at all '.repeat(100)), 'ARCHIVE_INVALID'],
    ['that is cut off in gzip', () => gzipSync(oci()).subarray(0, -20), 'ARCHIVE_INVALID'],
  ];

  it.each(cases)('%s', async (_, make, reason) => {
    expect((await refusal(make())).reason).toBe(reason);
  });

  it('when any byte of a blob is another', async () => {
    const whole = oci();
    const places = [
      'etc/f',
      '"architecture"',
      '"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest',
    ];
    for (const place of places) {
      const spoilt = Buffer.from(whole);
      const at = spoilt.indexOf(place);
      spoilt[at + 1] = (spoilt[at + 1] ?? 0) ^ 1;
      expect(['DIGEST_MISMATCH', 'LAYER_INVALID']).toContain((await refusal(spoilt)).reason);
    }
  });

  it('with an error that names the entry and what is wrong with it', async () => {
    const error = await refusal(oci(undefined, HOSTILE));
    expect(error.message).toContain('"../x"');
    expect(error.metadata).toMatchObject({ code: 'PATH_TRAVERSAL', entry: '../x', offset: '1024' });
  });

  it('when it is not of the form that was asked for', async () => {
    const { ARCHIVE_FORMAT_DOCKER: asDocker, ARCHIVE_FORMAT_OCI_LAYOUT: asOci } = ArchiveFormat;
    expect((await refusal(LAYER, asDocker)).reason).toBe('ARCHIVE_INVALID');
    expect((await refusal(archiveTar(dockerFiles({ layers: [LAYER] })), asOci)).reason).toBe(
      'ARCHIVE_INVALID',
    );
  });

  it('as a whole, when only its last image is bad', async () => {
    const files = dockerFiles(
      { layers: [LAYER], name: 'good' },
      { layers: [HOSTILE], name: 'bad' },
    );
    const path = stand.file('two', archiveTar(files));
    await expect(stand.load({ path })).rejects.toThrow('"../x"');
  });

  it('when its path is relative, is not there, or is a device', async () => {
    for (const path of ['relative', '/nowhere/at/all', '/dev/null']) {
      await expect(stand.load({ path, reference: 'x' })).rejects.toSatisfy(
        (error) => isTeuError(error, 'ARCHIVE_INVALID') || isTeuError(error, 'INVALID_ARGUMENT'),
      );
    }
  });
});

describe('an upload is refused', () => {
  const upload = (parts: ({ header: true } | { data: number })[]) => {
    async function* messages() {
      for (const part of parts) {
        await Promise.resolve();
        yield 'header' in part
          ? { part: { $case: 'header' as const, value: LoadImageRequest.create({}) } }
          : { part: { $case: 'data' as const, value: Buffer.alloc(part.data) } };
      }
    }
    return Array.fromAsync(stand.service.channel.bidi(ImageServiceService.uploadImage, messages()));
  };

  it.each([
    ['without a header', [{ data: 1 }], 'INVALID_ARGUMENT'],
    ['with two headers', [{ header: true }, { header: true }], 'INVALID_ARGUMENT'],
    ['that is too large', [{ header: true }, { data: 2 ** 20 }, { data: 1 }], 'RESOURCE_EXHAUSTED'],
    ['of nothing', [{ header: true }], 'ARCHIVE_INVALID'],
  ] as [string, ({ header: true } | { data: number })[], Reason][])(
    '%s',
    async (_, parts, reason) => {
      await expect(upload(parts)).rejects.toSatisfy((error) => isTeuError(error, reason));
    },
  );
});
