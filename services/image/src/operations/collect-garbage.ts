import type { ImageParts } from './image-parts.js';

/** What garbage is made of. */
export type GarbageParts = Pick<ImageParts, 'blobs' | 'chores' | 'log' | 'pins'>;

/**
 * Removes blobs that no image refers to and no running operation has pinned, and has unused layers removed, which
 * nobody waits for. What cannot go now stays recorded and goes another time; it is never the failure of the operation
 * that came before.
 */
export function collectGarbage({ blobs, chores, log, pins }: GarbageParts): void {
  try {
    blobs.discard(blobs.unreferenced().filter((digest) => !pins.has(digest)));
    chores.request();
  } catch (error) {
    log.warn({ err: error }, 'unused blobs and layers stay for now');
  }
}
