import { teuError } from '@teu/errors';
import type { LayerDriver } from '../layers/layer-driver.js';
import type { SnapshotRow } from '../store/snapshot-table.js';
import type { ImageParts } from './image-parts.js';

/**
 * Removes the layers of all images from a driver, from the top down; with force only forgets them. The images stay:
 * they are unpacked again when they are needed.
 * @returns number of layers that were removed or forgotten
 * @throws DRIVER_NOT_FOUND, SNAPSHOT_IN_USE naming a layer that something stands on, DRIVER_UNAVAILABLE
 */
export async function releaseDriver(
  parts: ImageParts,
  name: string,
  force: boolean,
  signal: AbortSignal,
): Promise<number> {
  const { chores, drivers, snapshots, store, watchers } = parts;
  if (force) {
    const rows = snapshots.ofDriver(name);
    store.transaction(() => {
      for (const { chainId } of rows) snapshots.forget(name, chainId);
      chores.forget(name);
    });
    await watchers.announce();
    return rows.length;
  }
  const driver = drivers.get(name);
  // Who has made snapshots on these in advance gives them up.
  await watchers.announce(snapshots.ofDriver(name).map(({ chainId }) => chainId));
  await chores.settle(name);
  try {
    return await removeAll(parts, driver, signal);
  } finally {
    // What was asked meanwhile may rest on a layer that has gone since.
    await watchers.announce();
  }
}

async function removeAll(
  parts: ImageParts,
  driver: LayerDriver,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  for (let tips = tipsOf(parts, driver.name); tips.length > 0; tips = tipsOf(parts, driver.name)) {
    for (const tip of tips) {
      signal.throwIfAborted();
      await removeTip(parts, driver, tip);
      count += 1;
    }
  }
  return count;
}

/** Layers that no other layer in the driver stands on. */
function tipsOf({ snapshots }: ImageParts, driver: string): SnapshotRow[] {
  const rows = snapshots.ofDriver(driver);
  const parents = new Set(rows.map(({ parent }) => parent));
  return rows.filter(({ chainId }) => !parents.has(chainId));
}

async function removeTip(
  { images, layerMutex, pins, snapshots }: ImageParts,
  driver: LayerDriver,
  { chainId }: SnapshotRow,
): Promise<void> {
  await layerMutex.run(`${driver.name} ${chainId}`, async () => {
    const answer = pins.has(chainId) ? 'pinned' : await driver.remove(chainId);
    if (answer === 'removed') {
      snapshots.forget(driver.name, chainId);
      return;
    }
    const why = answer === 'pinned' ? 'it is being prepared' : 'something stands on it';
    const users = images.namesOn(chainId).join(', ');
    const whose = users === '' ? '' : `, a layer of ${users},`;
    const text = `${chainId}${whose} cannot leave the storage driver ${driver.name}: ${why}`;
    throw teuError('SNAPSHOT_IN_USE', text, {
      metadata: { driver: driver.name, snapshot: chainId, images: users },
    });
  });
}
