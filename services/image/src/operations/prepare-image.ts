import { chainIdsOf, topChainId, type ImageRecord } from '../domain/image-record.js';
import type { LayerDriver } from '../layers/layer-driver.js';
import { overLayers } from '../layers/layer-stack.js';
import { collectGarbage } from './collect-garbage.js';
import { findImage } from './find-image.js';
import type { ImageParts } from './image-parts.js';
import { unpackFromStore } from './load-layer.js';

export interface PreparedImage {
  image: ImageRecord;
  driver: string;
  /** Committed snapshot of the top layer; empty for an image without layers. */
  snapshot: string;
}

/** Makes sure that the layers of images are in a driver. */
export interface ImagePreparer {
  prepare(reference: string, driver: string, signal: AbortSignal): Promise<PreparedImage>;
}

/** Once a top layer was seen in a driver it is not asked for again: only this service removes layers. */
export function createImagePreparer(parts: ImageParts): ImagePreparer {
  // Of this very driver: another one may come under its name.
  const seenIn = new WeakMap<LayerDriver, Set<string>>();
  return {
    prepare: async (reference, driverName, signal) => {
      const { image } = findImage(parts.images, reference);
      const driver = parts.drivers.get(driverName);
      const snapshot = topChainId(image);
      const seen = seenIn.get(driver) ?? new Set();
      const isKnown = parts.snapshots.find(driver.name, snapshot) !== undefined;
      const isDamaged = parts.damage.hasAny(driver.name, chainIdsOf(image));
      if (!(seen.has(snapshot) && isKnown) || isDamaged) {
        await unpackMissing(parts, image, driver, signal);
        seenIn.set(driver, seen.add(snapshot));
      }
      parts.uses.mark(image.id);
      return { image, driver: driver.name, snapshot };
    },
  };
}

/**
 * Unpacks what a driver lacks of an image, and makes anew what is known to be damaged.
 * @throws DATA_LOSS if a blob is damaged, IMAGE_NOT_FOUND if the image was removed meanwhile
 */
export async function unpackMissing(
  parts: ImageParts,
  image: ImageRecord,
  driver: LayerDriver,
  signal: AbortSignal,
): Promise<void> {
  const keys = image.layers.flatMap(({ chainId, digest }) => [chainId, digest]);
  for (const key of keys) parts.pins.pin(key);
  try {
    const top = topChainId(image);
    // Parents cannot be missing under a child that is there.
    const below = image.layers.at(-2)?.chainId;
    const isDamaged = parts.damage.hasAny(driver.name, chainIdsOf(image));
    if (top === '' || (!isDamaged && (await parts.unpacker.find(driver, top, below)))) {
      recordChain(parts, image, driver.name);
      return;
    }
    const limit = parts.maxParallelLayers;
    await overLayers(image.layers, { limit, signal }, async (layer, { index, below, signal }) => {
      const parent = image.layers[index - 1]?.chainId;
      // All of the image is pinned here already.
      const scope = { pin: () => undefined, signal };
      const unpacked = await unpackFromStore(parts, driver, layer, { parent, below }, scope);
      if (layer.sizeBytes === 0) parts.images.setLayerSize(layer.chainId, unpacked.sizeBytes);
    });
    recordChain(parts, image, driver.name);
  } finally {
    parts.pins.release(keys);
    if (parts.images.byId(image.id) === undefined) collectGarbage(parts);
  }
  // What was unpacked of an image that is gone is garbage by now.
  if (parts.images.byId(image.id) === undefined) findImage(parts.images, image.id);
}

/** Layers that a driver had by itself are ours to remove as well, once no image needs them. */
function recordChain(parts: ImageParts, image: ImageRecord, driver: string): void {
  parts.store.transaction(() => {
    image.layers.forEach(({ chainId, sizeBytes }, index) => {
      if (parts.snapshots.find(driver, chainId)) return;
      const parent = image.layers[index - 1]?.chainId ?? '';
      parts.snapshots.record({ driver, chainId, parent, sizeBytes });
    });
  });
}
