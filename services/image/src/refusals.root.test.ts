import { isTeuError, type Reason } from '@teu/errors';
import { ArchiveFormat, ImageServiceService, LoadImageRequest } from '@teu/proto/image';
import { requires } from '@teu/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, dockerFiles, ociFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';

const LAYER = makeTar({ name: 'etc/', type: '5' }, { name: 'etc/f', data: 'f' });
const HOSTILE = makeTar({ name: 'a', data: 'a' }, { name: '../x', data: 'x' });

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

// What archives say that cannot be: test/hostile/corpus.
describe('an archive is refused', () => {
  it('with an error that names the entry and what is wrong with it', async () => {
    const error = await refusal(archiveTar(ociFiles({ layers: [HOSTILE] })));
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
