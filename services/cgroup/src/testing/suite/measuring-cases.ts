import type { Cgroup } from '@teu/proto/cgroup';
import { runProgram, tempDir, waitFor } from '@teu/testing';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MEBIBYTE, type GroupProbe } from './group-probe.js';
import { canRead, someDisk } from './some-disk.js';

/** Eight mebibytes, for dd. */
const BLOCKS = ['bs=1M', 'count=8'];

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
    const spin = `exec taskset -c ${firstProcessor()} sh -c "while :; do :; done"`;
    // The light one may wait long for its turn on a machine with much else to do.
    const patience = { timeoutMs: 50_000 };
    const running = [light, heavy].map((cgroup) => probe().run(cgroup, spin));
    const used = async ({ id }: Cgroup) => {
      const { seconds, nanos } = (await probe().stats(id)).cpu!.usageDuration!;
      return seconds + nanos / 1e9;
    };
    // One may have been alone for a while; from here on both are there.
    await waitFor(async () => (await used(light)) > 0 && (await used(heavy)) > 0, patience);
    const [lightBefore, heavyBefore] = [await used(light), await used(heavy)];
    // In the long run: who runs while a whole virtual machine is held up is charged for all of that.
    await waitFor(async () => {
      const heavyTime = (await used(heavy)) - heavyBefore;
      return heavyTime > 1 && heavyTime > 4 * ((await used(light)) - lightBefore);
    }, patience);
    for (const { id } of [light, heavy]) await probe().kill(id);
    await Promise.all(running.map(({ ended }) => ended));
  });

  it('counts what is read from a disk', async () => {
    const disk = someDisk();
    if (disk !== undefined && canRead(disk)) {
      const { path, major, minor } = disk;
      const devices = [{ allow: true, type: 'b', major, minor, access: 'r' }];
      await expectCounted(path, await probe().create({ devices }));
      return;
    }
    // Virtual machines do not all let their root read the disk itself, but what lies on it.
    using directory = tempDir();
    const file = join(directory.path, 'file');
    const made = await runProgram('dd', ['if=/dev/zero', `of=${file}`, ...BLOCKS, 'oflag=direct']);
    expect(made).toMatchObject({ code: 0 });
    await expectCounted(file, await probe().create());
  });

  const expectCounted = async (path: string, cgroup: Cgroup) => {
    const read = ['dd', `if=${path}`, 'of=/dev/null', ...BLOCKS, 'iflag=direct'].join(' ');
    expect((await probe().run(cgroup, read).ended).code).toBe(0);
    expect((await probe().stats(cgroup.id)).io?.readBytes).toBeGreaterThanOrEqual(8 * MEBIBYTE);
  };
}

/** Number of a processor that this process may use. */
function firstProcessor(): string {
  const status = readFileSync('/proc/self/status', 'utf8');
  return /^Cpus_allowed_list:\s*(\d+)/m.exec(status)?.[1] ?? '0';
}
