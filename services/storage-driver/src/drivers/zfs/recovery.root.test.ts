import { describeDriverRecovery } from '@teu/snapshot-conformance';
import { zfsPool, type ZfsPool } from '@teu/testing';
import { afterAll } from 'vitest';
import { LIFECYCLE_FAILPOINTS } from '../../testing/lifecycle-failpoints.js';
import { startZfs, zfsPlace } from './testing/zfs-place.js';

let pool: ZfsPool | undefined;
afterAll(() => pool?.remove());

describeDriverRecovery('zfs', {
  start: startZfs,
  failpoints: LIFECYCLE_FAILPOINTS,
  features: ['fuse', 'zfs-fuse'],
  place: async () => {
    pool ??= await zfsPool();
    return await zfsPlace(pool);
  },
});
