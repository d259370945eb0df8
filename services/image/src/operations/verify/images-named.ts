import type { ImageParts } from '../image-parts.js';

const NAMED_IMAGES_MAX = 100;

/** Names, or else ids, of images. At most 100: one of many is enough to know what it is about. */
export function namesOf({ images }: Pick<ImageParts, 'images'>, ids: readonly string[]): string[] {
  return ids.slice(0, NAMED_IMAGES_MAX).map((id) => images.byId(id)?.names[0] ?? id);
}
