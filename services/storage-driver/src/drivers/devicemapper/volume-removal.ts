import { KernelError } from '../../native-program.js';
import { attemptEach, type RemovalAttempt } from '../pending-removals.js';
import type { ThinPool } from './thin-pool.js';

/** Room of a file system for its tables, beside what it has for files. */
const TABLES = 1.1;
/** What is worth the time to free it below the pool. */
const LEAST_BYTES = 4 << 20;

/**
 * Deletes volumes that nobody has open.
 *
 * @param freesBelow - Whether blocks are to be given back to what is below the pool, too.
 */
export function deleteVolumes(
  pool: ThinPool,
  freesBelow: boolean,
  volumes: readonly number[],
): Promise<RemovalAttempt> {
  return attemptEach(volumes, async (volume) => {
    await pool.release(volume);
    try {
      if (freesBelow) await freeBelow(pool, volume);
      if (!(await pool.deactivate(volume))) return false;
      await pool.delete(volume);
      return true;
    } catch (error) {
      // The kernel has not quite closed it.
      if (error instanceof KernelError && error.code === 'EBUSY') return false;
      throw error;
    }
  });
}

/** Deleting a volume frees its blocks in the pool; only a discard goes further down. */
async function freeBelow(pool: ThinPool, volume: number): Promise<void> {
  if (((await pool.timesOpened(volume)) ?? 0) > 0) return;
  if ((await pool.ownBytes(volume)) < LEAST_BYTES) return;
  const blockBytes = await pool.blockBytes();
  await pool.activate(volume, 'rw');
  const { totalBytes } = await pool.measure(volume);
  const bytes = Math.ceil((totalBytes * TABLES) / blockBytes) * blockBytes;
  await pool.discardBlocks(volume, bytes);
}
