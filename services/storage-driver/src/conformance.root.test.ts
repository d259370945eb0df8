import { describeSnapshotDriver } from '@teu/snapshot-conformance';
import { startDriver } from './testing/start-driver.js';

describeSnapshotDriver('overlay2', {
  capabilities: ['rebase', 'layers-128', 'shared-disk'],
  open: (root) => startDriver(root),
});

describeSnapshotDriver('vfs', {
  capabilities: ['layers-128'],
  open: (root) => startDriver(root, ['--driver', 'vfs']),
});
