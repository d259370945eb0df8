import { randomUUID } from 'node:crypto';
import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { clock } from '@teu/ids';
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
import { parseImageConfig } from '../domain/image-config.js';
import type { ImageRecord } from '../domain/image-record.js';
import { normalizeTag } from '../domain/reference.js';
import { onDisk } from '../store/storage-error.js';
import { collectGarbage } from './collect-garbage.js';
import type { ImageParts } from './image-parts.js';
import { isWhole, loadLayer } from './load-layer.js';
import type { LoadScope, ReportProgress, StoredBlob } from './load-scope.js';
import { openArchive, type OpenedArchive } from './open-archive.js';
import { recordBlob } from './record-blob.js';

export const LOAD_OPERATION = 'load';

const COMMENT_LENGTH_MAX = 64 * 1024;

/** What a load needs to know of its caller. */
export interface LoadContext {
  requestId: string;
  signal: AbortSignal;
  report: ReportProgress;
}

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
  const { blobs, store, pins } = parts;
  if (request.reference !== '') normalizeTag(request.reference, 'reference');
  checkWishes(request);
  const operation = randomUUID();
  const intent = store.intents.begin({ operation: LOAD_OPERATION, objectKey: operation });
  const pinned: string[] = [];
  const ingested = new Map<string, number>();
  const layers = new Map<string, StoredBlob>();
  let done = false;
  try {
    const scope: LoadScope = {
      ...context,
      driver: request.driver,
      staging: blobs.makeStaging(operation),
      pin: (key) => {
        pinned.push(key);
        pins.pin(key);
      },
      ingested: (digest, size) => void ingested.set(digest, size),
      layers,
    };
    failpoint('image.load.after-intent');
    const images = await onDisk(async () => {
      const path = await archivePath(scope.staging);
      const read = await readImages(parts, scope, path, request);
      await blobs.syncDirectory();
      return read;
    });
    failpoint('image.load.before-commit');
    const loaded = store.transaction(() => {
      for (const [digest, size] of ingested) recordBlob(parts, digest, size, context.requestId);
      store.intents.finish(intent);
      return images.map((image) => recordImage(parts, image, context.requestId));
    });
    done = true;
    failpoint('image.load.after-commit');
    await parts.watchers.announce();
    return loaded;
  } finally {
    blobs.removeStaging(operation);
    pins.release(pinned);
    if (!done) store.intents.finish(intent);
    // Not only what this load has put in its place: another one may have left it there because this one wanted it.
    blobs.discard(pinned.filter((key) => blobs.find(key) === undefined && !pins.has(key)));
    collectGarbage(parts);
  }
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
  const layers: ImageRecord['layers'] = [];
  for (const layer of source.layers) {
    scope.signal.throwIfAborted();
    layers.push(await loadLayer(parts, scope, layer, layers.at(-1)?.chainId));
  }
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
  for (const { bytes, digest } of [config, manifest]) {
    scope.pin(digest);
    if (isWhole(parts.blobs, digest)) continue;
    await parts.blobs.write(bytes, scope.staging);
    scope.ingested(digest, bytes.length);
  }
  failpoint('image.load.after-documents');
  const { os, architecture, createTime, config: runConfig } = parseImageConfig(config.bytes);
  return {
    id: config.digest,
    manifestDigest: manifest.digest,
    ...(createTime === undefined ? {} : { createTime }),
    loadTime: clock.now(),
    os,
    architecture,
    config: runConfig,
    layers,
    names: source.names,
  };
}

function generated(bytes: Uint8Array): SourceDocument {
  return { bytes, digest: digestOf(bytes) };
}

/** In a transaction: the image, unless it is there, and its names. */
function recordImage(parts: ImageParts, image: ImageRecord, requestId: string): ImageRecord {
  const { images, events } = parts;
  if (images.byId(image.id) === undefined) {
    images.insert(image);
    events.loaded(image.id, requestId);
  }
  for (const name of image.names) {
    const before = images.setName(name, image.id);
    if (before === image.id) continue;
    if (before !== undefined) events.untagged(before, name, requestId);
    events.tagged(image.id, name, requestId);
  }
  return images.byId(image.id) ?? image;
}
