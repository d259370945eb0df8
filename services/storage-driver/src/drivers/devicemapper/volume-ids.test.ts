import { expect, it } from 'vitest';
import { frozenVolumeOf, snapshotOf, volumeOf } from './volume-ids.js';

it('volumes and snapshots are told from each other, and those of the driver from both', () => {
  for (const id of [1, 2, 77, 8_388_607]) {
    expect(snapshotOf(volumeOf(id))).toBe(id);
    expect(snapshotOf(frozenVolumeOf(id))).toBe(id);
    expect(frozenVolumeOf(id)).toBeLessThan(2 ** 24);
  }
  expect([snapshotOf(0), snapshotOf(1)]).toEqual([undefined, undefined]);
  expect(() => volumeOf(8_388_608)).toThrow('all of them were given');
});
