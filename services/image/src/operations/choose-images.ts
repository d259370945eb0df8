import { teuError } from '@teu/errors';
import { parseImageReference } from '@teu/ids';
import type { ImageRecord } from '../domain/image-record.js';
import { parseMeaning, repositoryOf } from '../domain/reference.js';
import type { ImageStore } from '../store/image-store.js';
import { findImage } from './find-image.js';

/** Most images in one archive: what is written must be readable again. */
const IMAGE_COUNT_MAX = 1024;

/** An image, and the names by which it was chosen; none if by its id. */
export interface ChosenImage {
  image: ImageRecord;
  /** Sorted. */
  names: string[];
}

/**
 * Finds the images that references mean, each once. A name of a repository without a tag means all its tags, as for docker.
 * @throws INVALID_ARGUMENT, INVALID_ID, IMAGE_NOT_FOUND, AMBIGUOUS_REFERENCE
 */
export function chooseImages(images: ImageStore, references: readonly string[]): ChosenImage[] {
  const field = 'references';
  if (references.length === 0 || references.length > IMAGE_COUNT_MAX) {
    throw teuError('INVALID_ARGUMENT', `1 to ${IMAGE_COUNT_MAX} images can be saved at once`, {
      metadata: { field },
    });
  }
  const chosen = new Map<string, ChosenImage>();
  const choose = (image: ImageRecord, names: readonly string[]): void => {
    const all = new Set([...(chosen.get(image.id)?.names ?? []), ...names]);
    chosen.set(image.id, { image, names: [...all].sort() });
  };
  for (const reference of references) {
    const tagged = wholeRepository(images, reference, field);
    for (const { image, names } of tagged) choose(image, names);
    if (tagged.length > 0) continue;
    const { image, name } = findImage(images, reference, field);
    choose(image, name === undefined ? [] : [name]);
  }
  if (chosen.size > IMAGE_COUNT_MAX) {
    throw teuError(
      'INVALID_ARGUMENT',
      `more than ${IMAGE_COUNT_MAX} images cannot be saved at once`,
      {
        metadata: { field },
      },
    );
  }
  return [...chosen.values()];
}

/** All images with a name in the repository that a reference without tag and digest names. */
function wholeRepository(images: ImageStore, reference: string, field: string): ChosenImage[] {
  const { name, remote } = parseMeaning(reference, field);
  if (name === undefined || remote !== undefined) return [];
  const repository = repositoryOf(name);
  const hasTag = reference.lastIndexOf(':') > reference.lastIndexOf('/');
  if (hasTag || parseImageReference(reference, field).tag === undefined) return [];
  return images.page(undefined, IMAGE_COUNT_MAX + 1, repository).map((image) => ({
    image,
    names: image.names.filter((one) => repositoryOf(one) === repository),
  }));
}
