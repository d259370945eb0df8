import { teuError } from '@teu/errors';

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar';

/** How the bytes of a blob are packed; "auto" if only they can tell. */
export type Compression = 'auto' | 'none' | 'gzip' | 'zstd';

const LAYER_COMPRESSIONS: ReadonlyMap<string, Compression> = new Map([
  [OCI_LAYER, 'none'],
  [`${OCI_LAYER}+gzip`, 'gzip'],
  [`${OCI_LAYER}+zstd`, 'zstd'],
  [DOCKER_LAYER, 'none'],
  [`${DOCKER_LAYER}.gzip`, 'gzip'],
  [`${DOCKER_LAYER}.zstd`, 'zstd'],
]);

export const isManifestType = (type: string): boolean =>
  type === OCI_MANIFEST || type === DOCKER_MANIFEST;
export const isIndexType = (type: string): boolean => type === OCI_INDEX || type === DOCKER_INDEX;
export const isConfigType = (type: string): boolean =>
  type === OCI_CONFIG || type === DOCKER_CONFIG;

/**
 * What a layer's media type says about its bytes.
 * @throws IMAGE_UNSUPPORTED for anything but a tar; foreign layers are not fetched from anywhere.
 */
export function layerCompression(mediaType: string): Compression {
  const compression = LAYER_COMPRESSIONS.get(mediaType);
  if (compression === undefined) {
    throw teuError('IMAGE_UNSUPPORTED', 'a layer has a media type that is not supported', {
      metadata: { media_type: mediaType.slice(0, 128) },
    });
  }
  return compression;
}

/** Media type of a layer whose bytes were looked at. */
export function layerMediaType(compression: Compression): string {
  return compression === 'gzip' || compression === 'zstd'
    ? `${OCI_LAYER}+${compression}`
    : OCI_LAYER;
}

/** The media type of a manifest with a config of this type. */
export function manifestTypeOf(configType: string): string {
  return configType === DOCKER_CONFIG ? DOCKER_MANIFEST : OCI_MANIFEST;
}

/** The media type that a layer has in an image of this type of config: all of an image is docker's, or OCI's. */
export function layerTypeFor(configType: string, layerType: string): string {
  const prefixes = [`${OCI_LAYER}+`, `${DOCKER_LAYER}.`];
  const [from, to] = configType === DOCKER_CONFIG ? prefixes : prefixes.toReversed();
  if (from === undefined || to === undefined) return layerType;
  if (layerType === from.slice(0, -1)) return to.slice(0, -1);
  return layerType.startsWith(from) ? to + layerType.slice(from.length) : layerType;
}
