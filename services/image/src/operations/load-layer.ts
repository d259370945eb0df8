import { statSync } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { LoadStep, type Layer } from '@teu/proto/image';
import type { BlobPlace } from '../archive/image-files.js';
import type { SourceLayer } from '../archive/image-source.js';
import { nextChainId } from '../domain/chain-id.js';
import { requireDigest } from '../domain/digest.js';
import { layerMediaType } from '../domain/media-types.js';
import { invalid } from '../domain/strict-json.js';
import type { LayerDriver } from '../layers/layer-driver.js';
import type { LayerReport } from '../layers/layer-report.js';
import type { LayerBelow } from '../layers/layer-stack.js';
import type { UnpackedLayer } from '../layers/unpacker.js';
import type { BlobStore } from '../store/blob-store.js';
import type { ImageParts } from './image-parts.js';
import type { LoadScope, StoredBlob } from './load-scope.js';
import { suspectBlob, type SuspectParts } from './quarantine-blob.js';
import { unpackIncoming } from './unpack-incoming.js';

/** On what a layer stands. */
export interface LayerPlace {
  /** Chain id of the layer below; undefined for the base. */
  parent: string | undefined;
  /** Given if that one is still on its way into the driver. */
  below?: LayerBelow | undefined;
}

/**
 * Brings one layer into the store and into the driver, reading it once: its bytes are hashed, copied
 * into the store and unpacked in the same pass. What is there already is not read at all.
 */
export async function loadLayer(
  parts: ImageParts,
  scope: LoadScope,
  source: SourceLayer,
  parent: string | undefined,
  below?: LayerBelow,
): Promise<Layer> {
  const { diffId } = source;
  const chainId = diffId === undefined ? undefined : nextChainId(parent, diffId);
  if (chainId !== undefined) scope.pin(chainId);
  if (source.digest !== undefined) scope.pin(source.digest);
  const known = diffId === undefined ? undefined : storedLayer(parts, scope, source, diffId);
  const driver = parts.drivers.get(scope.driver);
  const unpacked = await (known
    ? unpackStored(parts, scope, driver, known, { parent, below })
    : source.incoming
      ? unpackIncoming(parts, scope, driver, source, source.incoming, { parent, below })
      : unpackNew(parts, scope, driver, source, { parent, below }));
  const facts = known ?? unpacked.blob;
  if (facts === undefined) throw new Error('a layer came without its blob');
  scope.pin(unpacked.layer.chainId);
  return {
    diffId: facts.diffId,
    chainId: unpacked.layer.chainId,
    digest: facts.digest,
    mediaType: facts.mediaType,
    blobBytes: facts.blobBytes,
    sizeBytes: unpacked.layer.sizeBytes,
  };
}

/** The blob of a layer, if the store has it: by its digest, or by the digest of its content. */
function storedLayer(
  { images, blobs }: ImageParts,
  { layers }: LoadScope,
  { digest, mediaType, size }: SourceLayer,
  diffId: string,
): StoredBlob | undefined {
  const fresh = layers.get(diffId);
  if (fresh && (digest === undefined || fresh.digest === digest)) return fresh;
  if (digest === undefined) {
    const known = images.layerByDiffId(diffId);
    return known && isWhole(blobs, known.digest) ? known : undefined;
  }
  if (!isWhole(blobs, digest)) return undefined;
  return { diffId, digest, mediaType: mediaType ?? '', blobBytes: size ?? 0 };
}

/**
 * Whether a blob need not be read again. One whose file is gone or has another size is not trusted, though the row says
 * that it is there: loading an image again mends it.
 */
export function isWhole(blobs: BlobStore, digest: string): boolean {
  if (!blobs.has(digest)) return false;
  const file = statSync(blobs.path(digest), { throwIfNoEntry: false });
  return file?.size === blobs.find(digest)?.size;
}

async function unpackStored(
  parts: ImageParts,
  scope: LoadScope,
  driver: LayerDriver,
  blob: StoredBlob,
  place: LayerPlace,
): Promise<{ layer: UnpackedLayer; blob?: StoredBlob }> {
  scope.pin(blob.digest);
  const layer = await unpackFromStore(parts, driver, blob, place, scope);
  const step = layer.report ? LoadStep.LOAD_STEP_UNPACK : LoadStep.LOAD_STEP_EXISTS;
  scope.report(step, blob.digest, blob.blobBytes, blob.blobBytes);
  return { layer };
}

/** Unpacks a layer whose blob is in the store, if the driver does not have it. */
export async function unpackFromStore(
  parts: SuspectParts & Pick<ImageParts, 'unpacker' | 'worker'>,
  driver: LayerDriver,
  { diffId, digest, blobBytes }: Pick<Layer, 'diffId' | 'digest' | 'blobBytes'>,
  place: LayerPlace,
  scope: Pick<LoadScope, 'pin' | 'signal'>,
): Promise<UnpackedLayer> {
  const unpack = parts.unpacker.ensure({
    driver,
    ...place,
    diffId,
    pin: (chainId) => scope.pin(chainId),
    apply: async (mounts, standalone) => {
      const file = await parts.blobs.open(digest);
      try {
        const blob = { file, offset: 0, size: blobBytes };
        const report = await parts.worker.apply({
          blob,
          compression: 'auto',
          mounts,
          standalone,
          signal: scope.signal,
        });
        // The disk may have changed what was once verified.
        requireDigest('the stored layer', digest, report.digest);
        return report;
      } finally {
        await file.close();
      }
    },
  });
  return unpack.catch(async (error: unknown) => {
    await suspectBlob(parts, digest, error, scope.signal);
    throw error;
  });
}

async function unpackNew(
  parts: ImageParts,
  scope: LoadScope,
  driver: LayerDriver,
  source: SourceLayer,
  layerPlace: LayerPlace,
): Promise<{ layer: UnpackedLayer; blob: StoredBlob }> {
  const blob = await source.place();
  if (source.size !== undefined && blob.size !== source.size) {
    throw invalid('a layer', `has ${blob.size} bytes, the manifest says ${source.size}`);
  }
  scope.report(LoadStep.LOAD_STEP_INGEST, source.digest ?? '', 0, blob.size);
  const path = join(scope.staging, randomUUID());
  const copyTo = await open(path, 'wx', 0o600);
  try {
    const pass = await readOnce(parts, scope, driver, source, layerPlace, blob, copyTo);
    scope.pin(pass.report.digest);
    parts.blobs.promote(path, pass.report.digest);
    scope.ingested(pass.report.digest, pass.report.blobBytes);
    const { digest, blobBytes, diffId, compression } = pass.report;
    const mediaType = source.mediaType ?? layerMediaType(compression);
    scope.report(LoadStep.LOAD_STEP_UNPACK, digest, blobBytes, blobBytes);
    const stored = { diffId, digest, mediaType, blobBytes };
    scope.layers.set(diffId, stored);
    return { layer: pass.layer, blob: stored };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await copyTo.close();
  }
}

/** Unpacks and copies; only copies if the driver turns out to have the layer. */
async function readOnce(
  parts: ImageParts,
  scope: LoadScope,
  driver: LayerDriver,
  source: SourceLayer,
  place: LayerPlace,
  blob: BlobPlace,
  copyTo: FileHandle,
): Promise<{ layer: UnpackedLayer; report: LayerReport }> {
  const { compression } = source;
  const progress = (bytes: number): void =>
    scope.report(LoadStep.LOAD_STEP_INGEST, source.digest ?? '', bytes, blob.size);
  const work = { blob, compression, copyTo, progress, signal: scope.signal };
  const check = (report: LayerReport): LayerReport => {
    if (source.digest !== undefined) requireDigest('a layer', source.digest, report.digest);
    if (source.diffId !== undefined) {
      requireDigest('an uncompressed layer', source.diffId, report.diffId);
    }
    return report;
  };
  const layer = await parts.unpacker.ensure({
    driver,
    ...place,
    diffId: source.diffId,
    pin: (chainId) => scope.pin(chainId),
    apply: async (mounts, standalone) =>
      check(await parts.worker.apply({ ...work, mounts, standalone })),
  });
  const report = layer.report ?? check(await parts.worker.copy(work));
  return { layer, report };
}
