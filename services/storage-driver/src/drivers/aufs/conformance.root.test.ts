import { describeSnapshotDriver } from '@teu/snapshot-conformance';
import { openVfs } from '../../testing/open-vfs.js';
import { startDriver } from '../../testing/start-driver.js';

describeSnapshotDriver('aufs', {
  features: ['fuse'],
  open: (root) => startDriver(root, ['--driver', 'aufs']),
  reference: openVfs,
});
