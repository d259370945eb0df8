import { expect, test } from 'vitest';
import { failureOf } from './zfs-failure.js';

test.each([
  ["cannot open 'p/teu/1': dataset does not exist", 'missing'],
  ["cannot create 'p/teu/1': dataset already exists", 'exists'],
  ["cannot create 'p/teu/1': out of space", 'full'],
  ["cannot destroy 'p/teu/1': dataset is busy", 'busy'],
  ["cannot destroy 'p/teu/1': pool or dataset is busy", 'busy'],
  ["cannot unmount '/m/1': unmount failed", 'busy'],
  ["cannot mount 'p/teu/1': mountpoint or dataset is busy", 'busy'],
  ["cannot destroy 'p/teu/1': filesystem has dependent clones", 'busy'],
  ["cannot set property for 'p': size is less than current used or reserved space", 'below-use'],
  ['internal error: failed to initialize ZFS library', 'other'],
])('%s', (said, kind) => {
  expect(failureOf('zfs', said, undefined).kind).toBe(kind);
});
