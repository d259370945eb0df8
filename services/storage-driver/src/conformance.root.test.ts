import { describeSnapshotDriver } from '@teu/snapshot-conformance';
import { startDriver } from './testing/start-driver.js';

describeSnapshotDriver('overlay2', {
  features: ['overlayfs'],
  open: (root) => startDriver(root),
});

describeSnapshotDriver('vfs', {
  open: (root) => startDriver(root, ['--driver', 'vfs']),
});
