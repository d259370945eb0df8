import { describeSnapshotDriver } from '@teu/snapshot-conformance';
import { openVfs } from '../../testing/open-vfs.js';

describeSnapshotDriver('vfs', { open: openVfs });
