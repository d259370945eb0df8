import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { parseImageReference, type ImageReference } from '@teu/ids';
import type { PullImageRequest, PullResolution } from '@teu/proto/image';
import type { RegistryClient } from '@teu/registry';
import type { ImageRecord } from '../domain/image-record.js';
import type { ImagePlatform } from '../domain/manifest.js';
import { normalizeTag } from '../domain/reference.js';
import { openClient } from '../registry/open-client.js';
import { readRemoteImage, resolveName, type RemoteImage } from '../registry/remote-image.js';
import type { ImageOrigin } from '../store/origin-table.js';
import { bringImages, imageRecord, recordImage, storeDocument } from './bring-images.js';
import type { ImageParts } from './image-parts.js';
import { loadLayers } from './load-layers.js';
import { PulledLayers } from './pulled-layers.js';
import type { ReportTransfer } from './transfer-report.js';

export const PULL_OPERATION = 'pull';

/** What a pull needs to know of its caller. */
export interface PullContext {
  requestId: string;
  signal: AbortSignal;
  resolved(resolution: PullResolution): void;
  report: ReportTransfer;
}

/** What a pull did. */
export interface PulledImage {
  image: ImageRecord;
  isUpToDate: boolean;
  /** What the name means at the registry. */
  digest: string;
  downloadedBytes: number;
}

interface Pull {
  parts: ImageParts;
  request: PullImageRequest;
  context: PullContext;
  reference: ImageReference;
  /** Under which it will be known here; none if a digest decides. */
  names: string[];
  /** Ends all that is still on its way. */
  giveUp: (error: unknown) => void;
}

/**
 * Brings an image from its registry: what the name means, documents, layers beside each other and unpacked while they
 * come. All or nothing, and on the disk when it returns; downloads that were broken off are kept for the next time.
 */
export async function pullImage(
  parts: ImageParts,
  request: PullImageRequest,
  context: PullContext,
): Promise<PulledImage> {
  const reference = parseImageReference(request.reference, 'reference');
  const names =
    reference.digest === undefined ? [normalizeTag(request.reference, 'reference')] : [];
  const client = openClient(parts.registry, request.credentials);
  // What is still on its way when one part fails is given up.
  const end = new AbortController();
  const signal = AbortSignal.any([context.signal, end.signal]);
  try {
    const giveUp = (error: unknown): void => end.abort(error);
    const inner = { ...context, signal };
    const pull: Pull = { parts, request, context: inner, reference, names, giveUp };
    return await pullWith(pull, client);
  } finally {
    end.abort(teuError('CANCELLED', 'the pull has ended'));
    client.close();
    parts.ingests.sweep((digest) => parts.pins.has(digest));
  }
}

async function pullWith(pull: Pull, client: RegistryClient): Promise<PulledImage> {
  const { parts, request, context, reference, names } = pull;
  const resolved = await resolveName(client, reference, context.signal);
  const wanted = wantedPlatform(request);
  const text = reference.digest ?? reference.tag ?? 'latest';
  const remote = await readRemoteImage(resolved, text, wanted, context.signal);
  const { host } = resolved.source;
  context.resolved({
    host,
    digest: remote.digest,
    manifestDigest: remote.manifest.digest,
    layerDigests: remote.layers.map(({ digest }) => digest),
  });
  const origin: ImageOrigin = {
    ...{ registry: reference.registry, repository: reference.repository },
    ...{ digest: remote.digest, host },
  };
  const isUpToDate = isKnown(parts, remote, origin, names);
  failpoint('image.pull.after-resolve');
  const layers = new PulledLayers(parts, resolved.sources, remote, {
    ...context,
    giveUp: pull.giveUp,
  });
  const [image] = await bring(pull, remote, layers, origin);
  if (image === undefined) throw new Error('a pull without an image');
  return { image, isUpToDate, digest: remote.digest, downloadedBytes: layers.downloadedBytes };
}

async function bring(
  { parts, request, context, names }: Pull,
  remote: RemoteImage,
  layers: PulledLayers,
  origin: ImageOrigin,
): Promise<ImageRecord[]> {
  const { requestId, signal } = context;
  const options = {
    ...{ operation: PULL_OPERATION, driver: request.driver, requestId, signal },
    report: layers.onLoadStep,
  };
  return bringImages(parts, options, {
    read: async (scope) => {
      layers.begin(scope);
      const brought = request.skipUnpack
        ? await layers.downloadOnly(scope)
        : await loadLayers(parts, scope, layers.sources);
      failpoint('image.pull.after-layers');
      for (const document of [remote.config, remote.manifest]) {
        await storeDocument(parts, scope, document);
      }
      layers.promote(scope);
      failpoint('image.pull.after-promote');
      await parts.blobs.syncDirectory();
      return [imageRecord(remote.config, remote.manifest.digest, brought, names)];
    },
    beforeCommit: () => failpoint('image.pull.before-commit'),
    record: (image) => {
      layers.finish();
      const recorded = recordImage(parts, image, requestId, () =>
        parts.events.pulled(image.id, requestId),
      );
      parts.origins.record(image.id, origin);
      return recorded;
    },
    afterCommit: () => failpoint('image.pull.after-commit'),
    takeBack: (digest) => parts.ingests.takeBack(digest, parts.blobs.path(digest)),
  });
}

/** Whether all of it was here before, under this name. */
function isKnown(
  { images, origins }: ImageParts,
  { config, manifest }: RemoteImage,
  origin: ImageOrigin,
  names: string[],
): boolean {
  const [name] = names;
  const known = name === undefined ? images.byId(config.digest) : images.byName(name);
  if (known?.id !== config.digest || known.manifestDigest !== manifest.digest) return false;
  return name !== undefined || origins.has(known.id, origin);
}

function wantedPlatform({ platform }: PullImageRequest): ImagePlatform | undefined {
  if (platform === undefined) return undefined;
  if (platform.os === '' || platform.architecture === '') {
    throw teuError('INVALID_ARGUMENT', 'platform needs os and architecture', {
      metadata: { field: 'platform' },
    });
  }
  return platform;
}
