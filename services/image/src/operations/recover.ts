import type { Intent } from '@teu/state';
import { EXTRACT_OPERATION, type ExtractIntent } from '../layers/unpacker.js';
import { collectGarbage } from './collect-garbage.js';
import type { ImageParts } from './image-parts.js';
import { LOAD_OPERATION } from './load-images.js';
import { REMOVE_OPERATION, removeImage } from './remove-image.js';

const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 10_000;

/**
 * Undoes or finishes what a crash has left. What lies in this service's own directory is done before
 * it returns; what needs a driver goes on in the background until the driver answers, as the service
 * must start without one.
 */
export function recover(parts: ImageParts, signal: AbortSignal): Promise<void> {
  const { blobs, store } = parts;
  blobs.sweep();
  for (const intent of store.intents.list()) {
    // The staging of a load is gone with the sweep, and its layers are garbage.
    if (intent.operation === LOAD_OPERATION) store.intents.finish(intent.id);
  }
  return finishWithDrivers(parts, signal);
}

async function finishWithDrivers(parts: ImageParts, signal: AbortSignal): Promise<void> {
  const { store } = parts;
  const intents = store.intents.list();
  for (const intent of intents) {
    for (
      let delayMs = RETRY_FIRST_MS;
      !signal.aborted;
      delayMs = Math.min(delayMs * 2, RETRY_MAX_MS)
    ) {
      if (await settle(parts, intent)) break;
      await pause(delayMs, signal);
    }
  }
  if (!signal.aborted) await collectGarbage(parts);
}

async function settle(parts: ImageParts, intent: Intent): Promise<boolean> {
  const { drivers, images, log, store } = parts;
  try {
    if (intent.operation === EXTRACT_OPERATION) {
      const { driver } = intent.payload as ExtractIntent;
      await drivers.get(driver).remove(intent.objectKey);
      store.intents.finish(intent.id);
    } else if (intent.operation === REMOVE_OPERATION) {
      if (images.byId(intent.objectKey)) await removeImage(parts, intent.objectKey, true, '');
      store.intents.finish(intent.id);
    }
    return true;
  } catch (error) {
    const { operation, objectKey } = intent;
    log.warn({ err: error, operation, object_key: objectKey }, 'recovery waits for a driver');
    return false;
  }
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    signal.addEventListener('abort', end, { once: true });
  });
}
