import type { ImageRecord } from '../../domain/image-record.js';
import type { ImageParts } from '../image-parts.js';

/** Bytes of blobs and unpacked layers that only an image needs, beside some that are gone already or will be. */
export function reclaimableBytes(
  {
    blobs,
    images,
    leases,
    snapshots,
  }: Pick<ImageParts, 'blobs' | 'images' | 'leases' | 'snapshots'>,
  image: ImageRecord,
  goneIds: ReadonlySet<string>,
): number {
  const isOnlyHere = (digestOrChain: string): boolean =>
    images.usersOf(digestOrChain).every((id) => id === image.id || goneIds.has(id));
  const { id, manifestDigest, layers } = image;
  const digests = new Set([id, manifestDigest, ...layers.map(({ digest }) => digest)]);
  let bytes = 0;
  for (const digest of digests) {
    if (!isOnlyHere(digest) || leases.holderOf(digest) !== undefined) continue;
    bytes += blobs.find(digest)?.size ?? 0;
  }
  for (const { chainId } of layers) {
    if (!isOnlyHere(chainId)) continue;
    for (const driver of snapshots.driversOf(chainId)) {
      bytes += snapshots.find(driver, chainId)?.sizeBytes ?? 0;
    }
  }
  return bytes;
}
