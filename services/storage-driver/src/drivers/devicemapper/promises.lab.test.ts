import { describePromises } from '../../testing/describe-promises.js';
import { startDriver } from '../../testing/start-driver.js';
import { loadThinPools, SMALL_POOL } from './testing/thin-pools.js';

loadThinPools();

describePromises('devicemapper', {
  features: ['device_mapper', 'ext4', 'loop', 'mkfs.ext4'],
  open: (root) => startDriver(root, ['--driver', 'devicemapper', ...SMALL_POOL]),
});
