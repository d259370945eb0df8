import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { topChainId, type ImageRecord } from '../domain/image-record.js';
import { evenIfFull } from '../store/even-if-full.js';
import { collectGarbage } from './collect-garbage.js';
import { findImage } from './find-image.js';
import type { ImageParts } from './image-parts.js';
import { refuseLeased } from './leases.js';
import { standingOn } from './prune/standing.js';
import { removeLayers } from './remove-layers.js';

export const REMOVE_OPERATION = 'remove';

/** What a removal took away. */
export interface RemovedImage {
  /** Names. */
  untagged: string[];
  /** The image's id and chain ids of layers. */
  deleted: string[];
}

/**
 * Removes a name, and with the last name, or by id, the image with what only it needs.
 * @throws IMAGE_NOT_FOUND, AMBIGUOUS_REFERENCE, INVALID_STATE for an id of an image with several
 *   names without `force`, IMAGE_IN_USE if a container stands on it, or a lease holds it, without `force`; DRIVER_UNAVAILABLE if a driver with layers of it
 *   does not answer, without `force`; then the image stays
 */
export async function removeImage(
  parts: ImageParts,
  reference: string,
  force: boolean,
  requestId: string,
): Promise<RemovedImage> {
  const { image, name } = findImage(parts.images, reference);
  if (name !== undefined && image.names.length > 1) {
    untag(parts, image, name, requestId);
    await parts.watchers.announce();
    return { untagged: [name], deleted: [] };
  }
  if (name === undefined && image.names.length > 1 && !force) {
    const names = image.names.join(', ');
    throw teuError('INVALID_STATE', `the image has several names (${names}); use force`, {
      metadata: { image: image.id, names },
    });
  }
  if (!force) refuseLeased(parts, image.id, image.names[0] ?? image.id);
  return deleteImage(parts, image, force, requestId);
}

function untag(parts: ImageParts, image: ImageRecord, name: string, requestId: string): void {
  evenIfFull(() =>
    parts.store.transaction(() => {
      parts.images.deleteName(name);
      parts.events.untagged(image.id, name, requestId);
    }),
  );
}

/**
 * A container is of the image that ends where it stands. That the layer stays, because images above need it, does not make
 * the image needless; where only this image needs it, removing it finds out by itself.
 */
async function refuseStanding(
  parts: ImageParts,
  image: ImageRecord,
  force: boolean,
): Promise<void> {
  const top = topChainId(image);
  const others = parts.images.usersOf(top).filter((id) => id !== image.id);
  const endsThere = (id: string): boolean => {
    const other = parts.images.byId(id);
    return other !== undefined && topChainId(other) === top;
  };
  if (others.length === 0 || others.some(endsThere)) return;
  const standing = await standingOn(parts, image);
  if (standing === undefined || (force && !standing.inUse)) return;
  const name = image.names[0] ?? image.id;
  const reason = standing.inUse ? 'IMAGE_IN_USE' : 'DRIVER_UNAVAILABLE';
  throw teuError(reason, `the image ${name} stays: ${standing.reason}`, {
    metadata: { image: image.id, name },
  });
}

/**
 * Removes an image with all its names and what only it needs.
 * @throws IMAGE_IN_USE, DRIVER_UNAVAILABLE; then it stays
 */
export async function deleteImage(
  parts: ImageParts,
  image: ImageRecord,
  force: boolean,
  requestId: string,
): Promise<RemovedImage> {
  const { store, images, events } = parts;
  await refuseStanding(parts, image, force);
  const intent = evenIfFull(() =>
    store.intents.begin({ operation: REMOVE_OPERATION, objectKey: image.id }),
  );
  try {
    failpoint('image.remove.after-intent');
    // Who has made snapshots on these in advance gives them up; a container's stay, and are in the way.
    await parts.watchers.announce([topChainId(image)]);
    const deleted = await removeLayers(parts, image, force);
    failpoint('image.remove.after-snapshots');
    // Read again: a name may have come while the driver worked.
    const names = images.byId(image.id)?.names ?? [];
    evenIfFull(() =>
      store.transaction(() => {
        for (const name of names) events.untagged(image.id, name, requestId);
        images.delete(image.id);
        events.removed(image.id, requestId);
        store.intents.finish(intent);
      }),
    );
    failpoint('image.remove.after-commit');
    await parts.watchers.announce();
    collectGarbage(parts);
    return { untagged: names, deleted: [image.id, ...deleted] };
  } finally {
    store.intents.finish(intent);
  }
}
