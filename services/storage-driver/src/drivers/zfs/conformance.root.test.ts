import { describeSnapshotDriver } from '@teu/snapshot-conformance';
import { zfsPool } from '@teu/testing';
import { openVfs } from '../../testing/open-vfs.js';
import { startDriver } from '../../testing/start-driver.js';

/** Stacks of random layers; each costs some hundred commands of zfs. */
const STACKS = 4;
/** Layers on each other: fewer than with the other drivers, for the same reason. */
const DEPTH = 12;

describeSnapshotDriver('zfs', {
  features: ['fuse', 'zfs-fuse'],
  stacks: STACKS,
  depth: DEPTH,
  open: async (root) => {
    const pool = await zfsPool();
    const flags = ['--driver', 'zfs', '--zfs-dataset', pool.name];
    const driver = await startDriver(root, flags).catch(async (error: unknown) => {
      await pool.remove();
      throw error;
    });
    return {
      channel: driver.channel,
      close: async () => {
        await driver.close();
        await pool.remove();
      },
    };
  },
  reference: openVfs,
});
