import { describeSnapshotDriver } from '@teu/snapshot-conformance';
import { openVfs } from '../../testing/open-vfs.js';
import { startDriver } from '../../testing/start-driver.js';

describeSnapshotDriver('overlay2', {
  features: ['overlayfs'],
  open: (root) => startDriver(root),
  reference: openVfs,
});
