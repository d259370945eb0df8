import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import type { LoadImageRequest } from '@teu/proto/image';
import type { SourceDocument, SourceImage } from '../archive/image-source.js';
import { hostArchitecture } from '../domain/architecture.js';
import { changeConfig } from '../domain/config-changes.js';
import { digestOf } from '../domain/digest.js';
import {
  generateManifest,
  generateRootfsConfig,
  type RootfsWishes,
} from '../domain/generated-documents.js';
import type { ImageRecord } from '../domain/image-record.js';
import { normalizeTag } from '../domain/reference.js';
import {
  bringImages,
  imageRecord,
  recordImage,
  storeDocument,
  type LoadContext,
} from './bring-images.js';
import type { ImageParts } from './image-parts.js';
import { loadLayers } from './load-layers.js';
import type { LoadScope } from './load-scope.js';
import { openArchive, type OpenedArchive } from './open-archive.js';

export const LOAD_OPERATION = 'load';

const COMMENT_LENGTH_MAX = 64 * 1024;

/** Gives the archive's path once the load has a staging directory; an upload fills it first. */
export type ArchivePath = (staging: string) => Promise<string>;

/**
 * Loads all images of an archive, or none. When it returns they are on the disk: blobs and layers are
 * synced, then named, then recorded in one transaction with the events.
 */
export async function loadImages(
  parts: ImageParts,
  request: LoadImageRequest,
  archivePath: ArchivePath,
  context: LoadContext,
): Promise<ImageRecord[]> {
  if (request.reference !== '') normalizeTag(request.reference, 'reference');
  checkWishes(request);
  const { driver } = request;
  return bringImages(
    parts,
    { operation: LOAD_OPERATION, driver, ...context },
    {
      read: async (scope) => {
        failpoint('image.load.after-intent');
        const path = await archivePath(scope.staging);
        const images = await readImages(parts, scope, path, request);
        await parts.blobs.syncDirectory();
        return images;
      },
      beforeCommit: () => failpoint('image.load.before-commit'),
      record: (image) =>
        recordImage(parts, image, context.requestId, () =>
          parts.events.loaded(image.id, context.requestId),
        ),
      afterCommit: () => failpoint('image.load.after-commit'),
    },
  );
}

async function readImages(
  parts: ImageParts,
  scope: LoadScope,
  path: string,
  request: LoadImageRequest,
): Promise<ImageRecord[]> {
  const { worker } = parts;
  const { staging, signal } = scope;
  const archive = await openArchive(path, request.format, { worker, staging, signal });
  try {
    const sources = withNames(archive, request.reference);
    if (!archive.isRootfs && (request.changes.length > 0 || request.comment !== '')) {
      throw teuError('INVALID_ARGUMENT', 'changes and comment are for a plain root file system', {
        metadata: { field: request.changes.length > 0 ? 'changes' : 'comment' },
      });
    }
    const images: ImageRecord[] = [];
    for (const source of sources) images.push(await readImage(parts, scope, source, request));
    return images;
  } finally {
    await archive.close();
  }
}

/** Before an archive is read, though only then it is known whether it is a root file system. */
function checkWishes({ changes, comment }: RootfsWishes): void {
  changeConfig({}, changes);
  if (comment.length <= COMMENT_LENGTH_MAX) return;
  throw teuError('INVALID_ARGUMENT', 'comment is too long', { metadata: { field: 'comment' } });
}

/** Applies the name of the request; see LoadImageRequest.reference. */
function withNames(archive: OpenedArchive, reference: string): SourceImage[] {
  const { images, isRootfs } = archive;
  if (images.length === 0) throw teuError('ARCHIVE_INVALID', 'the archive holds no image');
  if (reference === '') {
    if (!isRootfs) return images;
    throw teuError('INVALID_ARGUMENT', 'a plain root file system needs a reference', {
      metadata: { field: 'reference' },
    });
  }
  if (images.length > 1) {
    const count = String(images.length);
    throw teuError('INVALID_ARGUMENT', `the archive holds ${count} images, not one to name`, {
      metadata: { field: 'reference', count },
    });
  }
  return images.map((image) => ({ ...image, names: [normalizeTag(reference, 'reference')] }));
}

async function readImage(
  parts: ImageParts,
  scope: LoadScope,
  source: SourceImage,
  wishes: RootfsWishes,
): Promise<ImageRecord> {
  const layers = await loadLayers(parts, scope, source.layers);
  failpoint('image.load.after-layers');
  const config =
    source.config ??
    generated(generateRootfsConfig(layers[0]?.diffId ?? '', hostArchitecture, wishes));
  const manifest =
    source.manifest ??
    generated(
      generateManifest(
        { digest: config.digest, size: config.bytes.length },
        layers.map(({ mediaType, digest, blobBytes: size }) => ({ mediaType, digest, size })),
      ),
    );
  for (const document of [config, manifest]) await storeDocument(parts, scope, document);
  failpoint('image.load.after-documents');
  return imageRecord(config, manifest.digest, layers, source.names);
}

function generated(bytes: Uint8Array): SourceDocument {
  return { bytes, digest: digestOf(bytes) };
}
