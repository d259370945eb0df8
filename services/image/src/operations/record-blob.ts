import type { ImageParts } from './image-parts.js';

/** In a transaction: a blob is whole and in its place. If one of its digest was in quarantine, that is over. */
export function recordBlob(
  { blobs, events, images }: Pick<ImageParts, 'blobs' | 'events' | 'images'>,
  digest: string,
  size: number,
  requestId: string,
): void {
  if (!blobs.record(digest, size)) return;
  for (const id of images.usersOf(digest)) events.repaired(id, digest, requestId);
}
