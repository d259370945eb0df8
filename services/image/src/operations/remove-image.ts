import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { topChainId, type ImageRecord } from '../domain/image-record.js';
import { collectGarbage } from './collect-garbage.js';
import { findImage } from './find-image.js';
import type { ImageParts } from './image-parts.js';

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
 *   names without `force`, IMAGE_IN_USE if a container stands on it; then nothing was removed
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
  return deleteImage(parts, image, requestId);
}

function untag(parts: ImageParts, image: ImageRecord, name: string, requestId: string): void {
  parts.store.transaction(() => {
    parts.images.deleteName(name);
    parts.events.untagged(image.id, name, requestId);
  });
}

async function deleteImage(
  parts: ImageParts,
  image: ImageRecord,
  requestId: string,
): Promise<RemovedImage> {
  const { store, images, events } = parts;
  const intent = store.intents.begin({ operation: REMOVE_OPERATION, objectKey: image.id });
  try {
    failpoint('image.remove.after-intent');
    // Who has made snapshots on these in advance gives them up; a container's stay, and are in the way.
    await parts.watchers.announce([topChainId(image)]);
    const deleted = await removeSnapshots(parts, image);
    failpoint('image.remove.after-snapshots');
    // Read again: a name may have come while the driver worked.
    const names = images.byId(image.id)?.names ?? [];
    store.transaction(() => {
      for (const name of names) events.untagged(image.id, name, requestId);
      images.delete(image.id);
      events.removed(image.id, requestId);
      store.intents.finish(intent);
    });
    failpoint('image.remove.after-commit');
    await parts.watchers.announce();
    await collectGarbage(parts);
    return { untagged: names, deleted: [image.id, ...deleted] };
  } finally {
    store.intents.finish(intent);
  }
}

/** Removes the layers that only this image needs, from the top down. */
async function removeSnapshots(parts: ImageParts, image: ImageRecord): Promise<string[]> {
  const { drivers, images, layerMutex, pins, snapshots } = parts;
  const deleted: string[] = [];
  for (const { chainId } of image.layers.toReversed()) {
    if (images.chainUsers(chainId, image.id) > 0) break;
    for (const driver of snapshots.driversOf(chainId)) {
      const answer = await layerMutex.run(`${driver} ${chainId}`, async () => {
        if (pins.has(chainId)) return 'pinned';
        const removed = await drivers.get(driver).remove(chainId);
        if (removed === 'removed') snapshots.forget(driver, chainId);
        return removed;
      });
      // Below the top it can only be another's container; the layer then stays without the image.
      if (answer !== 'removed' && deleted.length > 0) return deleted;
      if (answer !== 'removed') throw inUse(image, answer);
    }
    deleted.push(chainId);
  }
  return deleted;
}

function inUse(image: ImageRecord, answer: 'in use' | 'pinned'): Error {
  const name = image.names[0] ?? image.id;
  const why =
    answer === 'pinned' ? 'is being loaded or prepared' : 'has containers that stand on it';
  return teuError('IMAGE_IN_USE', `the image ${name} ${why}; nothing was removed`, {
    metadata: { image: image.id, name },
  });
}
