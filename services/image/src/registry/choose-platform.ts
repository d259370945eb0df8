import { teuError } from '@teu/errors';
import { hostArchitecture } from '../domain/architecture.js';
import type { Descriptor, ImagePlatform } from '../domain/manifest.js';
import { isIndexType, isManifestType } from '../domain/media-types.js';

/** This machine's; any variant. */
export const hostPlatform: ImagePlatform = {
  os: 'linux',
  architecture: hostArchitecture,
  variant: '',
};

const LISTED_MAX = 32;

/**
 * The entry of an index for a platform. Without a variant the first that fits is taken, as the index's author orders
 * them; an entry without platform may be anything and comes last.
 * @throws IMAGE_UNSUPPORTED listing what there is
 */
export function choosePlatform(
  manifests: readonly Descriptor[],
  wanted: ImagePlatform,
): Descriptor {
  const images = manifests.filter(
    ({ mediaType }) => isManifestType(mediaType) || isIndexType(mediaType),
  );
  const found =
    images.find(({ platform }) => platform !== undefined && fits(platform, wanted)) ??
    images.find(({ platform }) => platform === undefined);
  if (found) return found;
  const there = images.flatMap(({ platform }) => (platform ? [platformText(platform)] : []));
  const known = [...new Set(there)].filter((text) => text !== 'unknown/unknown');
  const list = known.slice(0, LISTED_MAX).join(', ') || 'nothing';
  const platform = platformText(wanted);
  throw teuError('IMAGE_UNSUPPORTED', `there is no image for ${platform}; there is ${list}`, {
    metadata: { platform, available: list },
  });
}

/** Whether what is for one platform runs on another. */
export function fits(platform: ImagePlatform, wanted: ImagePlatform): boolean {
  if (platform.os !== wanted.os || platform.architecture !== wanted.architecture) return false;
  return wanted.variant === '' || usualVariant(platform) === usualVariant(wanted);
}

/** "linux/arm/v7", fit to be shown. */
export function platformText({ os, architecture, variant }: ImagePlatform): string {
  const parts = [os, architecture, ...(variant === '' ? [] : [variant])];
  return parts.map((part) => part.replace(/[^\w.-]/g, '?').slice(0, 32)).join('/');
}

/** Images for arm64 name its one variant, or don't (image-spec, image-index.md). */
function usualVariant({ architecture, variant }: ImagePlatform): string {
  return variant === '' && architecture === 'arm64' ? 'v8' : variant;
}
