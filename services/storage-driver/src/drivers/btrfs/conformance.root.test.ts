import { describeSnapshotDriver } from '@teu/snapshot-conformance';
import { loopFilesystem } from '@teu/testing';
import { openVfs } from '../../testing/open-vfs.js';
import { startDriver } from '../../testing/start-driver.js';

/** The quota cases fill a few times 16 MiB, and metadata is kept twice. */
const DISK_BYTES = 1 << 30;

describeSnapshotDriver('btrfs', {
  features: ['btrfs', 'loop', 'mkfs.btrfs'],
  reference: openVfs,
  open: async (root) => {
    const disk = await loopFilesystem(DISK_BYTES, 'btrfs');
    const flags = ['--driver', 'btrfs', '--root', `${disk.path}/btrfs`];
    const driver = await startDriver(root, flags);
    return {
      channel: driver.channel,
      close: async () => {
        await driver.close();
        disk.remove();
      },
    };
  },
});
