import { failpoint } from '@teu/failpoint';
import type { SnapshotContext } from './context.js';
import { syncFilesystem } from './sync-filesystem.js';

/** So many decided removals may be remembered longer than they need to be. */
export const REMEMBERED_DISCARDS = 256;

/**
 * Forgets removals that are on the disk. Only then: a power cut could bring the storage of a committed
 * snapshot back, with its manifest, and it would be taken for one whose record was lost.
 *
 * @param atLeast - Does nothing if there are fewer, because writing the file system to the disk costs.
 */
export async function forgetDiscards(
  { records, driver, manifests, root }: SnapshotContext,
  atLeast: number,
): Promise<void> {
  const remembered = records.discards();
  if (remembered.length === 0 || remembered.length < atLeast) return;
  const { complete, incomplete } = await driver.inventory();
  const sealed = manifests.inventory().ids;
  const isGone = (id: number): boolean =>
    !(complete.has(id) || incomplete.has(id) || sealed.has(id) || records.isInMotion(id));
  const gone = remembered.filter(isGone);
  if (gone.length < atLeast) return;
  await syncFilesystem(root, 'removals could not be made durable');
  failpoint('storage.discards.after-sync');
  records.dropDiscards(gone);
}
