import { teuError } from '@teu/errors';
import type { ImageReference } from '@teu/ids';
import {
  isWorthAnotherHost,
  type RegistryClient,
  type RemoteHead,
  type Repository,
} from '@teu/registry';
import type { SourceDocument } from '../archive/image-source.js';
import { requireDigest, digestOf } from '../domain/digest.js';
import { parseImageConfig } from '../domain/image-config.js';
import {
  parseManifest,
  type Descriptor,
  type ImagePlatform,
  type Manifest,
} from '../domain/manifest.js';
import { isIndexType, isManifestType } from '../domain/media-types.js';
import { invalid } from '../domain/strict-json.js';
import { choosePlatform, fits, hostPlatform, platformText } from './choose-platform.js';

/** What a name means, at the host that answered. */
export interface ResolvedName {
  source: Repository;
  /** All hosts that may have its blobs, the one that answered first. */
  sources: Repository[];
  head: RemoteHead;
}

/** An image at a registry: its documents, checked, and the descriptors of its layers. */
export interface RemoteImage {
  /** What the name means. */
  digest: string;
  manifest: SourceDocument;
  config: SourceDocument;
  layers: Descriptor[];
  diffIds: string[];
}

const INDEX_DEPTH_MAX = 4;
const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/;

/**
 * Finds out what a name means, at its mirrors first.
 * @throws IMAGE_NOT_FOUND, REGISTRY_DENIED, REGISTRY_UNAVAILABLE, REGISTRY_FAILED, of the registry itself
 */
export async function resolveName(
  client: RegistryClient,
  { registry, repository, tag = 'latest', digest }: ImageReference,
  signal: AbortSignal,
): Promise<ResolvedName> {
  const sources = client.sources(registry, repository);
  for (const [index, source] of sources.entries()) {
    try {
      const head = await source.headManifest(digest ?? tag, signal);
      if (digest !== undefined && head.digest !== undefined) {
        requireDigest('the manifest', digest, head.digest);
      }
      const others = sources.filter((other) => other !== source);
      return {
        source,
        sources: [source, ...others.toReversed()],
        head: { ...head, digest: digest ?? head.digest },
      };
    } catch (error) {
      signal.throwIfAborted();
      if (index === sources.length - 1 || !isWorthAnotherHost(error)) throw error;
    }
  }
  throw new Error('a registry without a host');
}

/**
 * Reads the documents of an image. Each must be what the one before says that it is: type, size and digest.
 * @throws IMAGE_INVALID, IMAGE_UNSUPPORTED, DIGEST_MISMATCH and those of resolveName
 */
export async function readRemoteImage(
  { source, sources, head }: ResolvedName,
  reference: string,
  wanted: ImagePlatform | undefined,
  signal: AbortSignal,
): Promise<RemoteImage> {
  const top = await source.getManifest(head.digest ?? reference, signal);
  let current = { bytes: top.bytes as Uint8Array, digest: top.digest };
  let mediaType = manifestType(top.mediaType);
  for (let depth = 0; ; depth += 1) {
    const parsed = parseManifest(current.bytes, mediaType);
    if (parsed.kind === 'manifest') {
      return readImage(sources, top.digest, current, parsed.manifest, wanted, signal);
    }
    if (depth >= INDEX_DEPTH_MAX) throw invalid('the index', 'is nested too deeply');
    const entry = choosePlatform(parsed.manifests, wanted ?? hostPlatform);
    const document = await source.getManifest(entry.digest, signal);
    if (document.bytes.length !== entry.size) {
      throw invalid(
        'the manifest',
        `has ${document.bytes.length} bytes, the index says ${entry.size}`,
      );
    }
    if (manifestType(document.mediaType) !== entry.mediaType) {
      throw invalid('the manifest', 'has another media type than the index says: it is ambiguous');
    }
    current = document;
    mediaType = entry.mediaType;
  }
}

async function readImage(
  sources: Repository[],
  digest: string,
  manifest: SourceDocument,
  { config: entry, layers }: Manifest,
  wanted: ImagePlatform | undefined,
  signal: AbortSignal,
): Promise<RemoteImage> {
  const bytes = await fromAny(sources, signal, (source) =>
    source.getSmallBlob(entry.digest, signal),
  );
  if (bytes.length !== entry.size) {
    throw invalid('the config', `has ${bytes.length} bytes, the manifest says ${entry.size}`);
  }
  requireDigest('the config', entry.digest, digestOf(bytes));
  const { diffIds, ...platform } = parseImageConfig(bytes);
  if (diffIds.length !== layers.length) {
    throw invalid('the config', `has ${diffIds.length} layers, the manifest ${layers.length}`);
  }
  if (wanted !== undefined && !fits(platform, wanted)) {
    const [is, want] = [platform, wanted].map(platformText);
    throw teuError('IMAGE_UNSUPPORTED', `there is no image for ${want}; there is ${is}`, {
      metadata: { platform: want ?? '', available: is ?? '' },
    });
  }
  return { digest, manifest, config: { bytes, digest: entry.digest }, layers, diffIds };
}

/** Does something at the first host that can. @throws the error of the first */
export async function fromAny<T>(
  sources: readonly Repository[],
  signal: AbortSignal,
  work: (source: Repository) => Promise<T>,
): Promise<T> {
  let first: unknown;
  for (const source of sources) {
    try {
      return await work(source);
    } catch (error) {
      signal.throwIfAborted();
      first ??= error;
      if (!isWorthAnotherHost(error)) throw error;
    }
  }
  throw first;
}

/** @throws IMAGE_UNSUPPORTED, IMAGE_INVALID for anything but a manifest or an index of OCI or docker */
export function manifestType(mediaType: string): string {
  if (isManifestType(mediaType) || isIndexType(mediaType)) return mediaType;
  const media_type = mediaType.slice(0, 128);
  if (SCHEMA_1.test(mediaType)) {
    const what =
      'the manifest is of docker’s schema 1, which nobody can verify; push the image anew';
    throw teuError('IMAGE_UNSUPPORTED', what, { metadata: { media_type } });
  }
  throw teuError('IMAGE_INVALID', 'the registry says of no known media type for the manifest', {
    metadata: { document: 'the manifest', media_type },
  });
}
