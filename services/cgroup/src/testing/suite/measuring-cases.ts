import type { Cgroup } from '@teu/proto/cgroup';
import { waitFor } from '@teu/testing';
import { expect, it } from 'vitest';
import { MEBIBYTE, type GroupProbe } from './group-probe.js';
import { canRead, someDisk } from './some-disk.js';

/** Limits at work, and the figures that tell of it. */
export function describeMeasuring(probe: () => GroupProbe): void {
  it('counts what the kernel kills for want of memory', async () => {
    const memory = { limit: 16 * MEBIBYTE, swap: 16 * MEBIBYTE };
    const cgroup = await probe().create({ memory });
    const { ended } = probe().run(cgroup, 'head -c 100m /dev/zero | tail > /dev/null; exit $?');
    expect((await ended).code).toBe(137);
    const { memory: figures } = await probe().stats(cgroup.id);
    expect(figures?.oomKillCount).toBeGreaterThan(0);
    expect(figures?.limitHitCount).toBeGreaterThan(0);
    expect(figures?.limitBytes).toBe(16 * MEBIBYTE);
    expect(figures?.peakBytes).toBeGreaterThan(15 * MEBIBYTE);
  });

  it('holds a process to its share of a processor', async () => {
    const cgroup = await probe().create({ cpu: { quota: 10_000, period: 100_000 } });
    const { ended } = probe().run(cgroup, 'while :; do :; done');
    await waitFor(async () => {
      const { throttledPeriodCount, throttledDuration } = (await probe().stats(cgroup.id)).cpu!;
      const { seconds, nanos } = throttledDuration!;
      return throttledPeriodCount >= 3 && seconds + nanos > 0;
    });
    expect(await probe().kill(cgroup.id)).toBe(1);
    await ended;
    const { seconds, nanos } = (await probe().stats(cgroup.id)).cpu!.usageDuration!;
    expect(seconds + nanos).toBeGreaterThan(0);
  });

  it('gives two busy groups time in proportion to their shares', async () => {
    const light = await probe().create({ cpu: { shares: 128 } });
    const heavy = await probe().create({ cpu: { shares: 8192 } });
    // On one processor, or each would have one to itself.
    const spin = 'exec taskset -c 0 sh -c "while :; do :; done"';
    const running = [light, heavy].map((cgroup) => probe().run(cgroup, spin));
    const used = async ({ id }: Cgroup) => {
      const { seconds, nanos } = (await probe().stats(id)).cpu!.usageDuration!;
      return seconds + nanos / 1e9;
    };
    // One may have been alone for a while; from here on both are there.
    await waitFor(async () => (await used(light)) > 0 && (await used(heavy)) > 0);
    const [lightBefore, heavyBefore] = [await used(light), await used(heavy)];
    await waitFor(async () => (await used(heavy)) > heavyBefore + 1);
    const lightTime = (await used(light)) - lightBefore;
    const heavyTime = (await used(heavy)) - heavyBefore;
    expect(heavyTime / lightTime).toBeGreaterThan(4);
    for (const { id } of [light, heavy]) await probe().kill(id);
    await Promise.all(running.map(({ ended }) => ended));
  });

  const disk = someDisk();
  const readable = disk !== undefined && canRead(disk) ? disk : undefined;
  it.skipIf(readable === undefined)(
    'counts what is read from a disk that it may read',
    async () => {
      const { path, major, minor } = readable!;
      const devices = [{ allow: true, type: 'b', major, minor, access: 'r' }];
      const cgroup = await probe().create({ devices });
      const read = `dd if=${path} of=/dev/null bs=1M count=8 iflag=direct`;
      expect((await probe().run(cgroup, read).ended).code).toBe(0);
      expect((await probe().stats(cgroup.id)).io?.readBytes).toBeGreaterThanOrEqual(8 * MEBIBYTE);
    },
  );
}
