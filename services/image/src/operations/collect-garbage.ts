import { evenIfFull } from '../store/even-if-full.js';
import type { ImageParts } from './image-parts.js';

/** What garbage is made of. */
export type GarbageParts = Pick<
  ImageParts,
  'blobs' | 'chores' | 'leases' | 'log' | 'pins' | 'store'
>;

/**
 * Removes blobs that no image refers to, no lease holds and no running operation has pinned, and has unused layers
 * removed, which nobody waits for. What cannot go now stays recorded and goes another time; it is never the failure of
 * the operation that came before.
 *
 * It looks and removes in one turn, so nobody comes in between. Whoever makes something pins what it is going to need
 * before it looks whether that is there, and lets go of it only when the rows that refer to it are written.
 */
export function collectGarbage(parts: GarbageParts): void {
  const { blobs, chores, leases, log, pins, store } = parts;
  try {
    if (leases.count() > 0) evenIfFull(() => store.transaction(() => leases.dropEnded()));
    blobs.discard(blobs.unreferenced().filter((digest) => !pins.has(digest)));
    chores.request();
  } catch (error) {
    log.warn({ err: error }, 'unused blobs and layers stay for now');
  }
}
