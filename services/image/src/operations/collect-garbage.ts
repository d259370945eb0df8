import type { ImageParts } from './image-parts.js';

/** What garbage is made of. */
export type GarbageParts = Pick<
  ImageParts,
  'blobs' | 'drivers' | 'layerMutex' | 'log' | 'pins' | 'snapshots'
>;

/**
 * Removes layers and blobs that no image refers to and no running operation has pinned. Layers go from
 * the top down. What cannot go now stays recorded and goes another time; it is never the failure of
 * the operation that came before.
 */
export async function collectGarbage(parts: GarbageParts): Promise<void> {
  try {
    await collect(parts);
  } catch (error) {
    parts.log.warn({ err: error }, 'unused blobs and layers stay for now');
  }
}

async function collect(parts: GarbageParts): Promise<void> {
  const { blobs, pins } = parts;
  blobs.discard(blobs.unreferenced().filter((digest) => !pins.has(digest)));
  const stuck = new Set<string>();
  for (;;) {
    const tip = parts.snapshots
      .unusedTips()
      .find(({ driver, chainId }) => !pins.has(chainId) && !stuck.has(`${driver} ${chainId}`));
    if (tip === undefined) return;
    const key = `${tip.driver} ${tip.chainId}`;
    if (!(await removeTip(parts, tip.driver, tip.chainId, key))) stuck.add(key);
  }
}

async function removeTip(
  parts: GarbageParts,
  driver: string,
  chainId: string,
  key: string,
): Promise<boolean> {
  const { drivers, layerMutex, log, pins, snapshots } = parts;
  return layerMutex.run(key, async () => {
    // Somebody may have begun to need it while this waited in line.
    if (pins.has(chainId)) return false;
    try {
      if ((await drivers.get(driver).remove(chainId)) !== 'removed') return false;
      snapshots.forget(driver, chainId);
      return true;
    } catch (error) {
      log.warn({ err: error, driver, chain_id: chainId }, 'an unused layer stays for now');
      return false;
    }
  });
}
