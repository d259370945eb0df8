import { open } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { clock } from '@teu/ids';
import { LayerCompression, type CommitSnapshotRequest, type Layer } from '@teu/proto/image';
import { committedConfig, committedManifest } from '../domain/committed-documents.js';
import { changeConfig } from '../domain/config-changes.js';
import { digestOf, requireDigest } from '../domain/digest.js';
import { encodeExact } from '../domain/exact-json.js';
import { parseImageConfig } from '../domain/image-config.js';
import { topChainId, type ImageRecord } from '../domain/image-record.js';
import { LAYER_COUNT_MAX, parseManifest } from '../domain/manifest.js';
import { manifestMediaType } from '../domain/manifest-type.js';
import { layerMediaType } from '../domain/media-types.js';
import { normalizeTag } from '../domain/reference.js';
import { invalid, parseDocument } from '../domain/strict-json.js';
import type { LayerDriver } from '../layers/layer-driver.js';
import type { LayerReport } from '../layers/layer-report.js';
import { bringImages, recordImage, storeDocument } from './bring-images.js';
import { findImage } from './find-image.js';
import { readDocuments } from './image-documents.js';
import type { ImageParts } from './image-parts.js';
import { isWhole } from './load-layer.js';
import type { LoadScope } from './load-scope.js';
import { lookAtTree, requireSnapshot, type TreeLook } from './tree-look.js';

export const COMMIT_OPERATION = 'commit';

const TEXT_LENGTH_MAX = 64 * 1024;
const EXCLUDED_COUNT_MAX = 1024;

/** A request that was looked at. */
interface Commit {
  request: CommitSnapshotRequest;
  driver: LayerDriver;
  image: ImageRecord;
  /** Normalised; undefined for none. */
  name: string | undefined;
  compression: LayerReport['compression'];
  createTime: Date;
}

/**
 * Makes an image of what was written to an active snapshot. When it returns the image is on the disk, and its layer is
 * a snapshot of the driver, so that it can be run at once; if this fails, or a crash comes before, there is nothing of it.
 * @throws INVALID_ARGUMENT naming the field, IMAGE_NOT_FOUND, SNAPSHOT_NOT_FOUND, CONFLICT if the snapshot was seen to be
 *   written to meanwhile, INVALID_STATE if it has a name that no layer can have, LAYER_TOO_LARGE, STORAGE_FULL
 */
export async function commitSnapshot(
  parts: ImageParts,
  request: CommitSnapshotRequest,
  requestId: string,
  signal: AbortSignal,
): Promise<ImageRecord> {
  const commit = await checkRequest(parts, request);
  const { driver, image: below } = commit;
  const context = { requestId, signal, report: () => undefined };
  const [image] = await bringImages(
    parts,
    { operation: COMMIT_OPERATION, driver: driver.name, ...context },
    {
      read: async (scope) => {
        for (const key of keysOf(below)) scope.pin(key);
        failpoint('image.commit.after-intent');
        const made = await makeImage(parts, commit, scope);
        await parts.blobs.syncDirectory();
        return [made];
      },
      beforeCommit: () => failpoint('image.commit.before-commit'),
      record: (made) =>
        recordImage(parts, made, requestId, () =>
          parts.events.committed(made.id, below.id, requestId),
        ),
      afterCommit: () => failpoint('image.commit.after-commit'),
    },
  );
  if (image === undefined) throw new Error('a commit made no image');
  return image;
}

async function checkRequest(parts: ImageParts, request: CommitSnapshotRequest): Promise<Commit> {
  const { reference, author, comment, createdBy, changes, createTime } = request;
  const name = reference === '' ? undefined : normalizeTag(reference, 'reference');
  // Before anything is read, though what it changes is known only later.
  changeConfig({}, changes);
  for (const [field, text] of Object.entries({ author, comment, created_by: createdBy })) {
    if (text.length > TEXT_LENGTH_MAX) throw refused(field, 'is too long');
  }
  checkExcluded(request.excludedPaths);
  const driver = parts.drivers.get(request.driver);
  const { image } = findImage(parts.images, request.image, 'image');
  const facts = await requireSnapshot(driver, request.key, 'key');
  if (facts.kind !== 'active') throw refused('key', 'is no active snapshot');
  if (facts.parent !== topChainId(image)) {
    throw refused('image', 'is not the image that the snapshot stands on');
  }
  if (image.layers.length >= LAYER_COUNT_MAX) {
    throw refused('image', `has ${LAYER_COUNT_MAX} layers, and no image can have more`);
  }
  const compression = compressionOf(request.compression);
  return { request, driver, image, name, compression, createTime: createTime ?? clock.now() };
}

function checkExcluded(paths: readonly string[]): void {
  const field = 'excluded_paths';
  if (paths.length > EXCLUDED_COUNT_MAX) throw refused(field, 'has too many paths');
  const isPath = (path: string): boolean =>
    path.startsWith('/') && path !== '/' && posix.normalize(path) === path && !path.includes('\0');
  if (!paths.every(isPath)) throw refused(field, 'has what is no plain absolute path');
}

function compressionOf(compression: LayerCompression): LayerReport['compression'] {
  switch (compression) {
    case LayerCompression.LAYER_COMPRESSION_UNSPECIFIED:
    case LayerCompression.LAYER_COMPRESSION_GZIP:
      return 'gzip';
    case LayerCompression.LAYER_COMPRESSION_ZSTD:
      return 'zstd';
    case LayerCompression.LAYER_COMPRESSION_NONE:
      return 'none';
    default:
      throw refused('compression', 'is unknown');
  }
}

function keysOf({ id, manifestDigest, layers }: ImageRecord): string[] {
  return [id, manifestDigest, ...layers.flatMap(({ digest, chainId }) => [digest, chainId])];
}

async function makeImage(
  parts: ImageParts,
  commit: Commit,
  scope: LoadScope,
): Promise<ImageRecord> {
  const { image, request, createTime } = commit;
  const documents = await readDocuments(parts, image);
  const layer = await makeLayer(parts, commit, scope);
  const { author, comment, createdBy, changes } = request;
  const addition = { author, comment, createdBy, changes, createTime, diffId: layer.diffId };
  const config = encodeExact(committedConfig(documents, addition));
  const descriptor = { digest: digestOf(config), size: config.length };
  const { digest, mediaType, blobBytes: size } = layer;
  const manifest = encodeExact(
    committedManifest(documents, descriptor, { mediaType, digest, size }),
  );
  for (const bytes of [config, manifest]) {
    // What could not be loaded is not made either.
    parseDocument(bytes, 'the new image');
    await storeDocument(parts, scope, { bytes, digest: digestOf(bytes) });
  }
  failpoint('image.commit.after-documents');
  const { os, architecture, config: runConfig } = parseImageConfig(config);
  return {
    ...{ id: descriptor.digest, manifestDigest: digestOf(manifest) },
    ...{ createTime, loadTime: clock.now(), os, architecture, config: runConfig },
    names: commit.name === undefined ? [] : [commit.name],
    layers: [...image.layers, { ...layer, mediaType: lastMediaType(manifest) }],
  };
}

/** Of the layer that was put on top: it follows the family of the image. */
function lastMediaType(manifest: Uint8Array): string {
  const parsed = parseManifest(manifest, manifestMediaType(manifest));
  const last = parsed.kind === 'manifest' ? parsed.manifest.layers.at(-1) : undefined;
  if (last === undefined) throw invalid('the manifest', 'lacks a layer');
  return last.mediaType;
}

/** Makes the layer's blob, has the driver unpack it on top of the image, and puts it in its place. */
async function makeLayer(parts: ImageParts, commit: Commit, scope: LoadScope): Promise<Layer> {
  const { blobs, unpacker, worker } = parts;
  const { driver, image, compression } = commit;
  const { signal } = scope;
  const path = join(scope.staging, 'layer');
  await using file = await open(path, 'wx+', 0o600);
  const made = await readLayer(parts, commit, { file, signal });
  failpoint('image.commit.after-layer');
  scope.pin(made.digest);
  const blob = { file, offset: 0, size: made.blobBytes };
  const unpacked = await unpacker.ensure({
    ...{ driver, diffId: made.diffId },
    pin: (key) => scope.pin(key),
    parent: image.layers.at(-1)?.chainId,
    apply: async (mounts) => {
      const report = await worker.apply({ blob, compression, mounts, signal });
      requireDigest('the new layer', made.digest, report.digest);
      return report;
    },
  });
  scope.pin(unpacked.chainId);
  failpoint('image.commit.after-unpack');
  if (!isWhole(blobs, made.digest)) {
    blobs.promote(path, made.digest);
    scope.ingested(made.digest, made.blobBytes);
  }
  const { diffId, digest, blobBytes } = made;
  const { chainId, sizeBytes } = unpacked;
  return { diffId, chainId, digest, blobBytes, sizeBytes, mediaType: layerMediaType(compression) };
}

async function readLayer(
  parts: ImageParts,
  { driver, request, compression }: Commit,
  output: Pick<Parameters<ImageParts['producer']['layer']>[0], 'file' | 'signal'>,
): Promise<LayerReport> {
  const facts = await requireSnapshot(driver, request.key, 'key');
  const below = facts.parent;
  await using old: TreeLook | undefined =
    below === ''
      ? undefined
      : await lookAtTree(parts, driver, below, { kind: 'committed', parent: '' });
  await using changed: TreeLook = await lookAtTree(parts, driver, request.key, facts);
  const trees = { old: old?.mounts, changed: changed.mounts, descends: true };
  const excluded = request.excludedPaths;
  return await parts.producer.layer({ trees, compression, excluded, ...output });
}

function refused(field: string, wrong: string): Error {
  return teuError('INVALID_ARGUMENT', `${field} ${wrong}`, { metadata: { field } });
}
