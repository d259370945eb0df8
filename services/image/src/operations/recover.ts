import type { Intent } from '@teu/state';
import { EXTRACT_OPERATION, type ExtractIntent } from '../layers/unpacker.js';
import { collectGarbage } from './collect-garbage.js';
import { COMMIT_OPERATION } from './commit-snapshot.js';
import type { ImageParts } from './image-parts.js';
import { LOAD_OPERATION } from './load-images.js';
import { PULL_OPERATION } from './pull-image.js';
import { REBUILD_OPERATION } from './rebuild-image.js';
import { REMOVE_OPERATION, removeImage } from './remove-image.js';
import { SAVE_OPERATION, undoSave } from './saved-file.js';
import { TRANSPLANT_OPERATION } from './transplant-snapshot.js';
import { LOOK_OPERATION } from './tree-look.js';

/**
 * Undoes or finishes what a crash has left. What lies in this service's own directory is done in the same turn; what
 * needs a driver goes on in the background, each driver by itself, as the service must start without one.
 */
export async function recover(parts: ImageParts): Promise<void> {
  const { blobs, ingests, store } = parts;
  // First: what is in the place of blobs without being one may be a download.
  ingests.recover(blobs);
  ingests.sweep(() => false);
  blobs.sweep();
  const removals = store.intents.list().flatMap((intent) => recoverIntent(parts, intent) ?? []);
  collectGarbage(parts);
  await Promise.all(removals);
}

function recoverIntent(parts: ImageParts, intent: Intent): Promise<void> | undefined {
  switch (intent.operation) {
    case COMMIT_OPERATION:
    case LOAD_OPERATION:
    case PULL_OPERATION:
    case REBUILD_OPERATION:
      // Its staging is gone with the sweep, and its layers are garbage.
      parts.store.intents.finish(intent.id);
      return undefined;
    case SAVE_OPERATION:
      undoSave(parts, intent);
      return undefined;
    case EXTRACT_OPERATION:
    case LOOK_OPERATION:
    case TRANSPLANT_OPERATION: {
      const { driver } = intent.payload as ExtractIntent;
      parts.chores.addLeftover(driver, intent.objectKey, intent.id);
      return undefined;
    }
    case REMOVE_OPERATION:
      return finishRemoval(parts, intent);
    default:
      parts.log.error(
        { operation: intent.operation },
        'an intent of an unknown kind is left alone',
      );
      return undefined;
  }
}

/** By force, so that it waits for no driver. If it cannot be, the image stays: nobody was told that it is gone. */
async function finishRemoval(parts: ImageParts, intent: Intent): Promise<void> {
  const { images, log, store } = parts;
  try {
    if (images.byId(intent.objectKey)) await removeImage(parts, intent.objectKey, true, '');
  } catch (error) {
    log.warn(
      { err: error, image: intent.objectKey },
      'an image stays whose removal was broken off',
    );
  }
  store.intents.finish(intent.id);
}
