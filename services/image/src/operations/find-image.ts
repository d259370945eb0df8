import { teuError } from '@teu/errors';
import type { ImageRecord } from '../domain/image-record.js';
import { parseMeaning } from '../domain/reference.js';
import type { ImageStore } from '../store/image-store.js';

/** An image, and the name by which it was found, if it was by a name. */
export interface FoundImage {
  image: ImageRecord;
  name?: string;
}

/**
 * Finds an image by name, id, or the beginning of an id. A name wins over an id that begins so.
 * @throws INVALID_ID, IMAGE_NOT_FOUND, AMBIGUOUS_REFERENCE
 */
export function findImage(images: ImageStore, reference: string, field = 'reference'): FoundImage {
  const { name, remote, idPrefix } = parseMeaning(reference, field);
  const named = name === undefined ? undefined : images.byName(name);
  if (named && name !== undefined) {
    if (remote === undefined || named.manifestDigest === remote.digest) {
      return { image: named, name };
    }
  }
  const pulled = remote && images.byOrigin(remote);
  if (pulled) return { image: pulled };
  const ids = idPrefix === undefined ? [] : images.idsByPrefix(idPrefix, 2);
  if (ids.length > 1) {
    throw teuError('AMBIGUOUS_REFERENCE', `${field} fits several images`, {
      metadata: { field, reference },
    });
  }
  const image = ids[0] === undefined ? undefined : images.byId(ids[0]);
  if (image === undefined) {
    throw teuError('IMAGE_NOT_FOUND', `there is no image "${reference}"`, {
      metadata: { reference },
    });
  }
  return { image };
}
