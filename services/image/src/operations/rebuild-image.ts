import { randomUUID } from 'node:crypto';
import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { clock } from '@teu/ids';
import type { RebuildImageRequest } from '@teu/proto/image';
import { digestOf } from '../domain/digest.js';
import { encodeExact } from '../domain/exact-json.js';
import { parseImageConfig } from '../domain/image-config.js';
import type { ImageRecord } from '../domain/image-record.js';
import { LAYER_COUNT_MAX } from '../domain/manifest.js';
import {
  rebuildConfig,
  rebuildManifest,
  type ImageDocuments,
} from '../domain/rebuilt-documents.js';
import { member, parseDocument } from '../domain/strict-json.js';
import { onDisk } from '../store/storage-error.js';
import { collectGarbage } from './collect-garbage.js';
import { findImage } from './find-image.js';
import { readDocuments } from './image-documents.js';
import type { ImageParts } from './image-parts.js';
import { isWhole } from './load-layer.js';
import { recordBlob } from './record-blob.js';
import { rebuiltLayers } from './rebuilt-layers.js';

export const REBUILD_OPERATION = 'rebuild';

interface Images {
  image: ImageRecord;
  oldBase: ImageRecord;
  newBase: ImageRecord;
  /** By which the new base was asked for. */
  newBaseName: string | undefined;
}

/** A document that is not in the store yet. */
interface NewDocument {
  bytes: Uint8Array;
  digest: string;
}

/**
 * Makes an image anew on another base. The same images give the same one; if that is there, nothing is made. It has
 * no name, and stays until it is removed by its id.
 * @throws IMAGE_NOT_FOUND, AMBIGUOUS_REFERENCE, INVALID_ARGUMENT naming the field if the image does not stand on the
 *   old base, or the new one is for another machine, STORAGE_FULL
 */
export async function rebuildImage(
  parts: ImageParts,
  request: RebuildImageRequest,
  requestId: string,
): Promise<ImageRecord> {
  const images = findImages(parts, request);
  checkBases(images);
  if (images.image.id === images.oldBase.id) return images.newBase;
  const { image, oldBase, newBase } = images;
  const keys = [image, oldBase, newBase].flatMap(({ id, manifestDigest, layers }) => [
    ...[id, manifestDigest],
    ...layers.map(({ digest }) => digest),
  ]);
  for (const key of keys) parts.pins.pin(key);
  try {
    return await makeImage(parts, images, requestId);
  } finally {
    parts.pins.release(keys);
    collectGarbage(parts);
  }
}

function findImages({ images }: ImageParts, request: RebuildImageRequest): Images {
  const newBase = findImage(images, request.newBase, 'new_base');
  return {
    image: findImage(images, request.reference).image,
    oldBase: findImage(images, request.oldBase, 'old_base').image,
    newBase: newBase.image,
    newBaseName: newBase.name,
  };
}

function checkBases({ image, oldBase, newBase }: Images): void {
  const isBase = oldBase.layers.every(({ diffId }, at) => image.layers[at]?.diffId === diffId);
  if (!isBase) {
    const text = 'old_base is not what the image stands on: its layers are not the first of it';
    throw refused('old_base', text, { image: image.id, old_base: oldBase.id });
  }
  const platform = ({ os, architecture }: ImageRecord): string => `${os}/${architecture}`;
  if (platform(image) !== platform(newBase)) {
    const text = `new_base is for ${platform(newBase)}, and the image for ${platform(image)}`;
    throw refused('new_base', text, {});
  }
  const count = newBase.layers.length + image.layers.length - oldBase.layers.length;
  if (count <= LAYER_COUNT_MAX) return;
  const text = `new_base would make an image of ${count} layers, and ${LAYER_COUNT_MAX} are possible`;
  throw refused('new_base', text, {});
}

async function makeImage(
  parts: ImageParts,
  { image, oldBase, newBase, newBaseName }: Images,
  requestId: string,
): Promise<ImageRecord> {
  const rebuild = {
    image: await readDocuments(parts, image),
    oldBase: await readDocuments(parts, oldBase),
    newBase: await readDocuments(parts, newBase),
  };
  checkVariants(rebuild.image, rebuild.newBase);
  const config = toDocument(encodeExact(rebuildConfig(rebuild)));
  const base = { digest: newBase.manifestDigest, name: newBaseName };
  const descriptor = { digest: config.digest, size: config.bytes.length };
  const manifest = toDocument(encodeExact(rebuildManifest(rebuild, descriptor, base)));
  const layers = rebuiltLayers(manifest.bytes, { image, oldBase, newBase });
  const { createTime, os, architecture, config: runConfig } = parseImageConfig(config.bytes);
  const record: ImageRecord = {
    id: config.digest,
    manifestDigest: manifest.digest,
    ...(createTime === undefined ? {} : { createTime }),
    loadTime: clock.now(),
    os,
    architecture,
    config: runConfig,
    layers,
    names: [],
  };
  return keepImage(parts, record, [config, manifest], image.id, requestId);
}

/** Records the image, once its documents are on the disk. */
async function keepImage(
  parts: ImageParts,
  record: ImageRecord,
  documents: NewDocument[],
  sourceId: string,
  requestId: string,
): Promise<ImageRecord> {
  const { blobs, events, images, pins, store } = parts;
  const known = images.byId(record.id);
  if (known !== undefined) return known;
  const operation = randomUUID();
  const digests = documents.map(({ digest }) => digest);
  for (const digest of digests) pins.pin(digest);
  const intent = store.intents.begin({ operation: REBUILD_OPERATION, objectKey: operation });
  try {
    failpoint('image.rebuild.after-intent');
    await onDisk(async () => {
      const staging = blobs.makeStaging(operation);
      for (const { bytes, digest } of documents) {
        if (!isWhole(blobs, digest)) await blobs.write(bytes, staging);
      }
      await blobs.syncDirectory();
    });
    failpoint('image.rebuild.after-documents');
    const kept = store.transaction(() => {
      for (const { bytes, digest } of documents) recordBlob(parts, digest, bytes.length, requestId);
      store.intents.finish(intent);
      if (images.byId(record.id) === undefined) {
        images.insert(record);
        events.rebuilt(record.id, sourceId, requestId);
      }
      return images.byId(record.id) ?? record;
    });
    failpoint('image.rebuild.after-commit');
    return kept;
  } finally {
    blobs.removeStaging(operation);
    store.intents.finish(intent);
    pins.release(digests);
    blobs.discard(
      digests.filter((digest) => blobs.find(digest) === undefined && !pins.has(digest)),
    );
  }
}

/** For some architectures the variant decides whether a program runs (image-spec, config.md). */
function checkVariants(image: ImageDocuments, newBase: ImageDocuments): void {
  const [wanted, given] = [image, newBase].map(({ config }) => member(config, 'variant') ?? '');
  if (wanted === given) return;
  throw refused('new_base', 'new_base is for another variant of the architecture', {});
}

function toDocument(bytes: Uint8Array): NewDocument {
  // What could not be loaded is not made either.
  parseDocument(bytes, 'the rebuilt image');
  return { bytes, digest: digestOf(bytes) };
}

function refused(field: string, text: string, metadata: Record<string, string>): Error {
  return teuError('INVALID_ARGUMENT', text, { metadata: { field, ...metadata } });
}
