import type { DriverPlace, StartTested } from '@teu/snapshot-conformance';
import { startService, tempDir, waitFor, type ZfsPool } from '@teu/testing';
import { join } from 'node:path';

/** A driver's place with a dataset of a pool. */
export interface ZfsPlace extends DriverPlace {
  readonly dataset: string;
}

let count = 0;

/**
 * Makes an empty place in a pool.
 *
 * @param disk - Directory for what is not in the pool; a temporary one if absent.
 */
export async function zfsPlace(pool: ZfsPool, disk?: string): Promise<ZfsPlace> {
  const directory = tempDir();
  count += 1;
  const dataset = `${pool.name}/t${count}`;
  await pool.zfs('create', '-o', 'mountpoint=none', dataset);
  return {
    runDir: join(directory.path, 'r'),
    dataDir: join(disk ?? directory.path, 'd'),
    dataset,
    remove: async () => {
      directory.remove();
      await waitFor(() => pool.zfs('destroy', '-r', dataset).then(() => true));
    },
  };
}

/** Starts the driver in a place that `zfsPlace` made. */
export const startZfs: StartTested = (place, environment) => {
  const { runDir, dataDir, dataset } = place as ZfsPlace;
  const env = { ...environment, TEU_STORAGE_ZFS_DATASET: dataset };
  return startService('zfs', { runDir, dataDir, env });
};
