import { describeSnapshotDriver } from '@teu/snapshot-conformance';
import { startDriver } from './testing/start-driver.js';

describeSnapshotDriver('overlay2', {
  capabilities: ['rebase', 'layers-128'],
  open: (root) => startDriver(root),
});
