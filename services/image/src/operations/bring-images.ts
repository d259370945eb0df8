import { randomUUID } from 'node:crypto';
import { clock } from '@teu/ids';
import type { SourceDocument } from '../archive/image-source.js';
import { parseImageConfig } from '../domain/image-config.js';
import type { ImageRecord } from '../domain/image-record.js';
import { onDisk } from '../store/storage-error.js';
import { collectGarbage } from './collect-garbage.js';
import type { ImageParts } from './image-parts.js';
import { isWhole } from './load-layer.js';
import type { LoadScope, ReportProgress, StoredBlob } from './load-scope.js';
import { recordBlob } from './record-blob.js';

/** What a load needs to know of its caller. */
export interface LoadContext {
  requestId: string;
  signal: AbortSignal;
  report: ReportProgress;
}

/** How images are brought in, from wherever they come. */
export interface BringSteps {
  /** Brings blobs and layers in, and syncs their directory. */
  read(scope: LoadScope): Promise<ImageRecord[]>;
  beforeCommit(): void;
  /** In the transaction: records one of them. */
  record(image: ImageRecord): ImageRecord;
  afterCommit(): void;
  /** What was put in its place and is not recorded is needed no more; undefined to have it removed. */
  takeBack?(digest: string): void;
}

/**
 * Brings images in, all of them or none. When it returns they are on the disk, named and announced. Whatever happens,
 * an intent says that it was begun until it is done or undone.
 */
export async function bringImages(
  parts: ImageParts,
  options: LoadContext & { operation: string; driver: string },
  steps: BringSteps,
): Promise<ImageRecord[]> {
  const { blobs, store, pins } = parts;
  const operation = randomUUID();
  const intent = store.intents.begin({ operation: options.operation, objectKey: operation });
  const pinned: string[] = [];
  const ingested = new Map<string, number>();
  let done = false;
  try {
    const scope = makeScope(parts, options, blobs.makeStaging(operation), pinned, ingested);
    const images = await onDisk(() => steps.read(scope));
    steps.beforeCommit();
    const brought = store.transaction(() => {
      for (const [digest, size] of ingested) {
        recordBlob(parts, digest, size, options.requestId);
      }
      store.intents.finish(intent);
      return images.map((image) => steps.record(image));
    });
    done = true;
    steps.afterCommit();
    await parts.watchers.announce();
    return brought;
  } finally {
    blobs.removeStaging(operation);
    pins.release(pinned);
    if (!done) store.intents.finish(intent);
    // Not only what this one has put in its place: another may have left it there because this one wanted it.
    const dropped = pinned.filter((key) => blobs.find(key) === undefined && !pins.has(key));
    for (const digest of dropped) steps.takeBack?.(digest);
    blobs.discard(dropped);
    collectGarbage(parts);
  }
}

function makeScope(
  { pins }: ImageParts,
  { requestId, signal, report, driver }: LoadContext & { driver: string },
  staging: string,
  pinned: string[],
  ingested: Map<string, number>,
): LoadScope {
  return {
    ...{ requestId, signal, report, driver, staging },
    pin: (key) => {
      pinned.push(key);
      pins.pin(key);
    },
    ingested: (digest, size) => void ingested.set(digest, size),
    layers: new Map<string, StoredBlob>(),
  };
}

/** Puts a config or manifest in its place, unless it is there. */
export async function storeDocument(
  { blobs }: Pick<ImageParts, 'blobs'>,
  scope: LoadScope,
  { bytes, digest }: SourceDocument,
): Promise<void> {
  scope.pin(digest);
  if (isWhole(blobs, digest)) return;
  await blobs.write(bytes, scope.staging);
  scope.ingested(digest, bytes.length);
}

/** The record of an image whose layers are there. */
export function imageRecord(
  config: SourceDocument,
  manifestDigest: string,
  layers: ImageRecord['layers'],
  names: string[],
): ImageRecord {
  const { os, architecture, createTime, config: runConfig } = parseImageConfig(config.bytes);
  return {
    id: config.digest,
    manifestDigest,
    ...(createTime === undefined ? {} : { createTime }),
    loadTime: clock.now(),
    os,
    architecture,
    config: runConfig,
    layers,
    names,
  };
}

/** In a transaction: the image, unless it is there, and its names. */
export function recordImage(
  parts: ImageParts,
  image: ImageRecord,
  requestId: string,
  /** Tells that it is new. */
  announce: () => void,
): ImageRecord {
  const { images, events } = parts;
  if (images.byId(image.id) === undefined) {
    images.insert(image);
    announce();
  }
  for (const name of image.names) {
    const before = images.setName(name, image.id);
    if (before === image.id) continue;
    if (before !== undefined) events.untagged(before, name, requestId);
    events.tagged(image.id, name, requestId);
  }
  return images.byId(image.id) ?? image;
}
