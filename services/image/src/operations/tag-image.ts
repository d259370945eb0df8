import type { ImageRecord } from '../domain/image-record.js';
import { normalizeTag } from '../domain/reference.js';
import { findImage } from './find-image.js';
import type { ImageParts } from './image-parts.js';

/** Gives an image another name; one that another image has moves. */
export function tagImage(
  parts: Pick<ImageParts, 'events' | 'images' | 'store'>,
  source: string,
  target: string,
  requestId: string,
): ImageRecord {
  const { events, images, store } = parts;
  const name = normalizeTag(target, 'target');
  return store.transaction(() => {
    const { image } = findImage(images, source, 'source');
    const before = images.setName(name, image.id);
    if (before !== image.id) {
      if (before !== undefined) events.untagged(before, name, requestId);
      events.tagged(image.id, name, requestId);
    }
    return images.byId(image.id) ?? image;
  });
}
