import { describeSnapshotDriver } from '@teu/snapshot-conformance';
import { openVfs } from '../../testing/open-vfs.js';
import { startDriver } from '../../testing/start-driver.js';
import { loadThinPools, SMALL_POOL } from './testing/thin-pools.js';

loadThinPools();

describeSnapshotDriver('devicemapper', {
  features: ['device_mapper', 'ext4', 'loop', 'mkfs.ext4'],
  reference: openVfs,
  // Fewer than elsewhere: every layer is a device here, on a machine that is emulated.
  stacks: 2,
  depth: 24,
  open: (root) => startDriver(root, ['--driver', 'devicemapper', ...SMALL_POOL]),
});
