import { describeDriverRecovery, serviceOf } from '@teu/snapshot-conformance';
import { loopFilesystem, tempDir } from '@teu/testing';
import { join } from 'node:path';
import { LIFECYCLE_FAILPOINTS } from '../../testing/lifecycle-failpoints.js';

describeDriverRecovery('btrfs', {
  start: serviceOf('btrfs'),
  failpoints: LIFECYCLE_FAILPOINTS,
  features: ['btrfs', 'loop', 'mkfs.btrfs'],
  place: async () => {
    const run = tempDir();
    const disk = await loopFilesystem(256 << 20, 'btrfs');
    return {
      runDir: run.path,
      dataDir: join(disk.path, 'd'),
      remove: () => {
        disk.remove();
        run.remove();
      },
    };
  },
});
