import { describeSnapshotDriver } from '@teu/snapshot-conformance';
import { startDriver } from './testing/start-driver.js';

const openVfs = (root: string) => startDriver(root, ['--driver', 'vfs']);

describeSnapshotDriver('overlay2', {
  features: ['overlayfs'],
  open: (root) => startDriver(root),
  reference: openVfs,
});

describeSnapshotDriver('vfs', { open: openVfs });
