import { describeDriverRecovery } from '@teu/snapshot-conformance';
import { startService } from '@teu/testing';
import { LIFECYCLE_FAILPOINTS } from '../../testing/lifecycle-failpoints.js';
import { loadThinPools, SMALL_POOL } from './testing/thin-pools.js';

loadThinPools();

// The power is cut in test/lab/power-cut.
describeDriverRecovery('devicemapper', {
  start: ({ runDir, dataDir }, env) =>
    startService('devicemapper', { runDir, dataDir, env, args: SMALL_POOL }),
  failpoints: LIFECYCLE_FAILPOINTS,
  features: ['device_mapper', 'ext4', 'loop', 'mkfs.ext4'],
});
