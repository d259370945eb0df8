import { teuError } from '@teu/errors';
import { parseImageReference, type ImageReference } from '@teu/ids';
import { TransferStep, type PushImageRequest, type PushResult } from '@teu/proto/image';
import type { BlobSource, Repository } from '@teu/registry';
import type { ImageRecord } from '../domain/image-record.js';
import { isConfigType, manifestTypeOf } from '../domain/media-types.js';
import { isObject, member, parseDocument } from '../domain/strict-json.js';
import { createLimiter } from '../registry/limiter.js';
import { openClient } from '../registry/open-client.js';
import { findImage } from './find-image.js';
import { readBlob } from './image-documents.js';
import type { ImageParts } from './image-parts.js';
import { TransferReport, type ReportTransfer } from './transfer-report.js';

/** What a push needs to know of its caller. */
export interface PushContext {
  requestId: string;
  signal: AbortSignal;
  report: ReportTransfer;
}

const READ_BYTES = 256 * 1024;

/**
 * Sends an image to the registry that its name says: layers beside each other, then the config, then the manifest, so
 * that nobody sees an image before all of it is there. What the registry has is not sent; what it has in another
 * repository it is asked to take from there.
 * @throws IMAGE_NOT_FOUND, INVALID_ID for a name without tag, and what the registry says
 */
export async function pushImage(
  parts: ImageParts,
  request: PushImageRequest,
  context: PushContext,
): Promise<PushResult> {
  const reference = parseImageReference(request.reference, 'reference');
  const { tag } = reference;
  if (tag === undefined || reference.digest !== undefined) {
    throw teuError('INVALID_ID', 'reference is not a name with a tag, by which to push', {
      metadata: { field: 'reference' },
    });
  }
  const { image } = findImage(parts.images, request.reference);
  const pinned = [image.id, image.manifestDigest, ...image.layers.map(({ digest }) => digest)];
  for (const key of pinned) parts.pins.pin(key);
  const client = openClient(parts.registry, request.credentials);
  const end = new AbortController();
  const signal = AbortSignal.any([context.signal, end.signal]);
  try {
    const target = client.repository(reference.registry, reference.repository);
    const push = new Push(parts, target, reference, { ...context, signal });
    const result = await push.run(image, tag);
    recordPush(parts, image, reference, context.requestId);
    return result;
  } finally {
    end.abort(teuError('CANCELLED', 'the push has ended'));
    client.close();
    parts.pins.release(pinned);
  }
}

class Push {
  readonly #parts: ImageParts;
  readonly #target: Repository;
  readonly #reference: ImageReference;
  readonly #context: PushContext;
  #uploadedBytes = 0;

  constructor(
    parts: ImageParts,
    target: Repository,
    reference: ImageReference,
    context: PushContext,
  ) {
    this.#parts = parts;
    this.#target = target;
    this.#reference = reference;
    this.#context = context;
  }

  async run(image: ImageRecord, tag: string): Promise<PushResult> {
    const { signal } = this.#context;
    const manifest = await readBlob(this.#parts, image.manifestDigest, 'the manifest');
    const limiter = createLimiter(this.#parts.registry.maxTransfers);
    const layers = new Map(image.layers.map(({ digest, blobBytes }) => [digest, blobBytes]));
    await Promise.all(
      [...layers].map(([digest, size]) => limiter.run(signal, () => this.#send(digest, size))),
    );
    const config = await readBlob(this.#parts, image.id, 'the config');
    await this.#send(image.id, config.length);
    await this.#target.putManifest(tag, mediaTypeOf(manifest), manifest, signal);
    return {
      manifestDigest: image.manifestDigest,
      manifestBytes: manifest.length,
      uploadedBytes: this.#uploadedBytes,
    };
  }

  async #send(digest: string, size: number): Promise<void> {
    const { signal } = this.#context;
    const report = new TransferReport(this.#context.report, digest, size);
    if (await this.#target.hasBlob(digest, signal)) {
      report.tell({ step: TransferStep.TRANSFER_STEP_EXISTS, currentBytes: size });
      return;
    }
    let before = 0;
    const how = await this.#target.sendBlob(
      this.#source(digest, size),
      this.#otherHomes(digest),
      {
        sent: (currentBytes, transferred) => {
          this.#uploadedBytes += transferred - before;
          before = transferred;
          report.tell({ step: TransferStep.TRANSFER_STEP_TRANSFERRING, currentBytes });
        },
        retrying: (error, waitMs) => {
          const detail = `${error.message}; next try in ${(waitMs / 1000).toFixed(1)} s`;
          report.tell({ step: TransferStep.TRANSFER_STEP_RETRYING, detail });
        },
      },
      signal,
    );
    const isMounted = how === 'mounted';
    const step = isMounted ? TransferStep.TRANSFER_STEP_MOUNTED : TransferStep.TRANSFER_STEP_DONE;
    report.tell({ step, currentBytes: size });
  }

  /** Other repositories of the registry that are known to have a blob. */
  #otherHomes(digest: string): string[] {
    const { registry, repository } = this.#reference;
    return this.#parts.origins
      .ofBlob(digest)
      .filter((origin) => origin.registry === registry && origin.repository !== repository)
      .slice(0, MOUNTS_MAX)
      .map((origin) => origin.repository);
  }

  #source(digest: string, size: number): BlobSource {
    const { blobs } = this.#parts;
    return {
      ...{ digest, size },
      read: async function* (from) {
        const file = await blobs.open(digest);
        try {
          for (let at = from; ;) {
            const buffer = Buffer.allocUnsafe(READ_BYTES);
            const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
            if (bytesRead === 0) return;
            at += bytesRead;
            yield buffer.subarray(0, bytesRead);
          }
        } finally {
          await file.close();
        }
      },
    };
  }
}

const MOUNTS_MAX = 3;

/** The registry has it now: what is pushed there next may be taken from here. */
function recordPush(
  { store, origins, events, images }: ImageParts,
  image: ImageRecord,
  { registry, repository, tag = '' }: ImageReference,
  requestId: string,
): void {
  store.transaction(() => {
    events.pushed(image.id, `${registry}/${repository}:${tag}`, requestId);
    // It may have been removed meanwhile.
    if (images.byId(image.id) === undefined) return;
    const digest = image.manifestDigest;
    origins.record(image.id, { registry, repository, digest, host: registry });
  });
}

/** As it says of itself; a manifest of OCI need not. */
function mediaTypeOf(manifest: Uint8Array): string {
  const document = parseDocument(manifest, 'the manifest');
  const own = member(document, 'mediaType');
  if (typeof own === 'string') return own;
  const config = member(document, 'config');
  const configType = isObject(config) ? member(config, 'mediaType') : undefined;
  const isKnown = typeof configType === 'string' && isConfigType(configType);
  return manifestTypeOf(isKnown ? configType : '');
}
