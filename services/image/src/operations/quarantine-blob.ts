import { isTeuError } from '@teu/errors';
import { damagedBlob } from '../store/blob-quarantine.js';
import type { ImageParts } from './image-parts.js';

type QuarantineParts = Pick<ImageParts, 'blobs' | 'events' | 'images' | 'store'>;

/** What it takes to find out whether a blob is damaged. */
export type SuspectParts = QuarantineParts & Pick<ImageParts, 'hasher'>;

/** Takes a damaged blob out of use, durably, and announces it for each image that needs it. */
export function quarantineBlob(
  { blobs, events, images, store }: QuarantineParts,
  digest: string,
  why: string,
  requestId: string,
): void {
  store.transaction(() => {
    const isNews = blobs.damageOf(digest) === undefined;
    blobs.quarantine(digest, why);
    if (!isNews) return;
    for (const id of images.usersOf(digest)) events.damaged(id, digest, requestId);
  });
}

/**
 * Looks at a stored blob that was found to be wrong while it was used: if its bytes are not those of its digest, it goes
 * into quarantine, and whoever wants it is told so.
 * @throws DATA_LOSS if it is damaged
 */
export async function suspectBlob(
  parts: SuspectParts,
  digest: string,
  error: unknown,
  signal: AbortSignal,
): Promise<void> {
  if (!isTeuError(error, 'DIGEST_MISMATCH') && !isTeuError(error, 'LAYER_INVALID')) return;
  const found = await parts.hasher.hash(parts.blobs.path(digest), false, signal);
  if (found === undefined || found.digest === digest) return;
  const why = wrongBytes(found.digest);
  if (parts.blobs.find(digest) !== undefined) quarantineBlob(parts, digest, why, '');
  throw damagedBlob(digest, why);
}

/** What is wrong with a blob of this digest instead of its own; empty for one that the disk cannot read. */
export function wrongBytes(actual: string): string {
  return actual === '' ? 'the disk cannot read it' : `its bytes have the digest ${actual}`;
}
