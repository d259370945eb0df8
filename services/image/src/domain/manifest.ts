import { teuError } from '@teu/errors';
import { parseDigest } from './digest.js';
import { isConfigType, isIndexType, isManifestType, layerCompression } from './media-types.js';
import { invalid, isObject, member, parseDocument, type JsonObject } from './strict-json.js';

/** Points to a blob (image-spec, descriptor.md). */
export interface Descriptor {
  mediaType: string;
  digest: string;
  /** Bytes. */
  size: number;
  annotations: Readonly<Record<string, string>>;
  /** Only in an index. */
  platform?: ImagePlatform;
  /** What kind of artifact it is, where it says. */
  artifactType?: string;
}

/** What an image runs on, as Go names it; empty where it does not say. */
export interface ImagePlatform {
  os: string;
  architecture: string;
  variant: string;
}

export interface Manifest {
  config: Descriptor;
  /** From the base up. */
  layers: Descriptor[];
}

/** What a document is that a descriptor says is a manifest or an index. */
export type ManifestDocument =
  { kind: 'manifest'; manifest: Manifest } | { kind: 'index'; manifests: Descriptor[] };

export const LAYER_COUNT_MAX = 512;
const INDEX_COUNT_MAX = 1024;

/**
 * Reads an image manifest or an index. A document that could be read as either, or that says of
 * itself something else than the one who points to it, is refused: its digest would name two things.
 * @throws IMAGE_INVALID, IMAGE_UNSUPPORTED
 */
export function parseManifest(bytes: Uint8Array, expectedType: string): ManifestDocument {
  const document = parseDocument(bytes, 'the manifest');
  const hasManifests = Object.hasOwn(document, 'manifests');
  const hasLayers = Object.hasOwn(document, 'layers') || Object.hasOwn(document, 'config');
  const ownType = member(document, 'mediaType');
  const isAmbiguous =
    (hasManifests && hasLayers) ||
    Object.hasOwn(document, 'fsLayers') ||
    (ownType !== undefined && ownType !== expectedType);
  if (isAmbiguous) throw invalid('the manifest', 'is ambiguous');
  if (member(document, 'schemaVersion') !== 2) {
    throw invalid('the manifest', 'is not of schema version 2');
  }
  if (isIndexType(expectedType)) return { kind: 'index', manifests: parseIndex(document) };
  if (!isManifestType(expectedType)) {
    throw teuError('IMAGE_UNSUPPORTED', 'the manifest has a media type that is not supported', {
      metadata: { media_type: expectedType.slice(0, 128) },
    });
  }
  return { kind: 'manifest', manifest: parseImageManifest(document) };
}

/** Reads the descriptors of an index, or of the index.json of a layout. */
export function parseIndex(document: JsonObject): Descriptor[] {
  return descriptors(document, 'manifests', INDEX_COUNT_MAX);
}

function parseImageManifest(document: JsonObject): Manifest {
  const config = parseDescriptor(member(document, 'config'), 'the config of the manifest');
  if (!isConfigType(config.mediaType)) {
    throw teuError('IMAGE_UNSUPPORTED', 'the manifest is of an artifact and not of an image', {
      metadata: { media_type: config.mediaType.slice(0, 128) },
    });
  }
  const layers = descriptors(document, 'layers', LAYER_COUNT_MAX);
  for (const layer of layers) layerCompression(layer.mediaType);
  return { config, layers };
}

function descriptors(document: JsonObject, name: string, max: number): Descriptor[] {
  const list = member(document, name);
  if (!Array.isArray(list)) throw invalid('the manifest', `has no list "${name}"`);
  if (list.length > max) throw invalid('the manifest', `has more than ${max} ${name}`);
  return list.map((item, index) => parseDescriptor(item, `${name}[${index}] of the manifest`));
}

/** Reads a descriptor. @throws IMAGE_INVALID naming where it stands */
export function parseDescriptor(value: unknown, where: string): Descriptor {
  if (!isObject(value)) throw invalid(where, 'is not a descriptor');
  const mediaType = member(value, 'mediaType');
  const size = member(value, 'size');
  if (typeof mediaType !== 'string') throw invalid(where, 'has no media type');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalid(where, 'has a size that is no byte count');
  }
  const platform = member(value, 'platform');
  const artifactType = textOf(member(value, 'artifactType'));
  return {
    mediaType,
    size,
    digest: parseDigest(member(value, 'digest'), `the digest of ${where}`),
    annotations: parseTexts(member(value, 'annotations'), where),
    ...(isObject(platform) ? { platform: parsePlatform(platform) } : {}),
    ...(artifactType === '' ? {} : { artifactType }),
  };
}

function parsePlatform(platform: JsonObject): ImagePlatform {
  return {
    os: textOf(member(platform, 'os')),
    architecture: textOf(member(platform, 'architecture')),
    variant: textOf(member(platform, 'variant')),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function parseTexts(value: unknown, where: string): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value)) throw invalid(where, 'has malformed annotations');
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}
