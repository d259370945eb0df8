import { waitFor } from '@teu/testing';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { GroupProbe, Wanted } from './group-probe.js';
import { MEBIBYTE } from './group-probe.js';
import { someDisk } from './some-disk.js';

const unsupported = (field: string) => ({ reason: 'RESOURCE_UNSUPPORTED', metadata: { field } });
const invalid = (message: string) => ({
  reason: 'INVALID_ARGUMENT',
  message: expect.stringContaining(message) as string,
});

/** Limits that not every host has, or that few containers have. */
export function describeAllLimits(probe: () => GroupProbe): void {
  const disk = someDisk();

  it('lets quota be saved up, and changes both in an order that the kernel takes', async () => {
    const cgroup = await probe().create({ cpu: { quota: 50_000, burst: 40_000 } });
    expect(probe().inForce(cgroup, 'burst')).toBe('40000');
    const changed = await probe().update(cgroup.id, { cpu: { quota: 20_000, burst: 10_000 } });
    expect(changed.resources?.cpu).toMatchObject({ quota: 20_000, burst: 10_000 });
    const without = await probe().update(cgroup.id, { cpu: { quota: -1 } });
    expect(without.resources?.cpu).toBeUndefined();
    const alone = probe().update(cgroup.id, { cpu: { burst: 1000 } });
    await expect(alone).rejects.toMatchObject(invalid('resources.cpu.burst needs'));
  });

  describe('processors and memory nodes', () => {
    it('are those that were asked for, and only then is a group of them joined', async () => {
      const plain = await probe().create();
      expect(existsSync(probe().directory(plain, 'cpuset'))).toBe(
        probe().versionOf('cpuset') === 2,
      );
      const cgroup = await probe().create({ cpu: { cpus: '0', mems: '0' } });
      expect(probe().inForce(cgroup, 'cpus')).toBe('0');
      expect(probe().inForce(cgroup, 'mems')).toBe('0');
      const { output } = await probe().run(cgroup, 'grep Cpus_allowed_list /proc/self/status')
        .ended;
      expect(output).toMatch(/\t0$/m);
      expect(await probe().get(cgroup.id)).toEqual(cgroup);
    });

    it('can be chosen while processes run: all of them are brought there', async () => {
      const cgroup = await probe().create();
      const loop = 'while :; do sleep 0.01; done';
      const { child, ended } = probe().run(cgroup, `(${loop}) & ${loop}`);
      await waitFor(async () => (await probe().get(cgroup.id)).processCount > 2);
      const changed = await probe().update(cgroup.id, { cpu: { cpus: '0' } });
      expect(changed.resources?.cpu?.cpus).toBe('0');
      expect(changed.frozen).toBe(false);
      const text = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      expect(text).toMatch(/^Cpus_allowed_list:\t0$/m);
      const members = `${probe().directory(cgroup, 'cpuset')}/cgroup.procs`;
      expect(readFileSync(members, 'utf8').trim().split('\n').length).toBeGreaterThan(1);
      await probe().kill(cgroup.id);
      await ended;
      await probe().remove(cgroup.id);
      expect(existsSync(probe().directory(cgroup, 'cpuset'))).toBe(false);
    });

    it('that there are not are refused, and nothing has moved', async () => {
      const cgroup = await probe().create({ pids: { limit: 7 } });
      const change: Wanted = { cpu: { cpus: '0,4000' }, pids: { limit: 8 } };
      const message = 'resources.cpu.cpus is 0,4000; there are 0';
      await expect(probe().update(cgroup.id, change)).rejects.toMatchObject(invalid(message));
      await expect(probe().create({ cpu: { mems: 'all' } })).rejects.toMatchObject(
        invalid('resources.cpu.mems is "all"'),
      );
      expect(await probe().get(cgroup.id)).toEqual(cgroup);
    });
  });

  it.skipIf(disk === undefined)('holds single block devices to rates', async () => {
    const { path, major, minor } = disk!;
    const cgroup = await probe().create({
      blockIo: {
        throttleReadBpsDevices: [{ path, rate: MEBIBYTE }],
        throttleWriteIopsDevices: [{ major, minor, rate: 100 }],
      },
    });
    const numbers = `${major}:${minor}`;
    expect([
      `${numbers} ${MEBIBYTE}`,
      `${numbers} rbps=${MEBIBYTE} wbps=max riops=max wiops=100`,
    ]).toContain(probe().inForce(cgroup, 'readBps'));
    expect(probe().inForce(cgroup, 'writeIops')).toContain('100');
    const device = { path: '', major, minor };
    expect(cgroup.resources?.blockIo).toMatchObject({
      throttleReadBpsDevices: [{ ...device, rate: MEBIBYTE }],
      throttleWriteIopsDevices: [{ ...device, rate: 100 }],
    });
    expect(await probe().get(cgroup.id)).toEqual(cgroup);
    const changed = await probe().update(cgroup.id, {
      blockIo: { throttleReadBpsDevices: [{ ...device, rate: 0 }] },
    });
    expect(changed.resources?.blockIo).toMatchObject({
      throttleReadBpsDevices: [],
      throttleWriteIopsDevices: [{ ...device, rate: 100 }],
    });
    for (const [wrong, message] of [
      [{ path: '/dev/null' }, 'which is not a block device'],
      [{ path: '/nothing' }, 'which is not a block device'],
      [{ major: 4000, minor: 1 }, '4000:1, which is none'],
    ] as const) {
      const blockIo = { throttleReadBpsDevices: [{ ...wrong, rate: 1 }] };
      await expect(probe().create({ blockIo })).rejects.toMatchObject(invalid(message));
    }
  });

  it('weighs groups against each other on block devices', async () => {
    const cgroup = await probe().create({ blockIo: { weight: 300 } });
    expect(cgroup.resources?.blockIo?.weight).toBe(300);
    expect(
      (await probe().update(cgroup.id, { blockIo: { weight: 500 } })).resources?.blockIo,
    ).toMatchObject({ weight: 500 });
    const weightDevices = [{ path: '', major: 4000, minor: 1, weight: 20 }];
    await expect(probe().create({ blockIo: { weightDevices } })).rejects.toMatchObject(
      invalid('4000:1, which is none'),
    );
    const away = { weightDevices: [{ ...weightDevices[0]!, weight: 0 }] };
    expect((await probe().update(cgroup.id, { blockIo: away })).resources?.blockIo).toMatchObject({
      weight: 500,
      weightDevices: [],
    });
  });

  it('limits huge pages, or says that it cannot', async () => {
    const hugepageLimits = [{ pageSize: '2MB', limit: 5 * MEBIBYTE }];
    if (!probe().has('hugetlb')) {
      const field = 'resources.hugepage_limits';
      await expect(probe().create({ hugepageLimits })).rejects.toMatchObject(unsupported(field));
      return;
    }
    const cgroup = await probe().create({ hugepageLimits });
    expect(probe().inForce(cgroup, 'hugepages')).toBe(String(4 * MEBIBYTE));
    expect(await probe().get(cgroup.id)).toEqual(cgroup);
    const late = await probe().create();
    const changed = await probe().update(late.id, { hugepageLimits });
    expect(changed.resources?.hugepageLimits).toEqual([{ pageSize: '2MB', limit: 4 * MEBIBYTE }]);
    const other = probe().create({ hugepageLimits: [{ pageSize: '3MB', limit: 1 }] });
    await expect(other).rejects.toMatchObject(unsupported('resources.hugepage_limits'));
  });

  describe('what only one version has', () => {
    it('is set there and refused by name on the other: version 1', async () => {
      const wanted: [string, Wanted][] = [
        ['resources.memory.swappiness', { memory: { swappiness: 10 } }],
        ['resources.memory.disable_oom_killer', { memory: { disableOomKiller: true } }],
      ];
      for (const [field, each] of wanted) {
        const create = probe().create(each);
        if (probe().versionOf('memory') === 1) {
          const { id, resources } = await create;
          expect(resources).toMatchObject(each);
          expect((await probe().get(id)).resources).toEqual(resources);
        } else {
          await expect(create).rejects.toMatchObject(unsupported(field));
        }
      }
      expect(
        (await probe().create({ memory: { disableOomKiller: false } })).resources?.memory,
      ).toBeUndefined();
    });

    it('is set there and refused by name on the other: version 2', async () => {
      const high: Wanted = { memory: { high: 8 * MEBIBYTE } };
      const raw: Wanted = { unified: { 'memory.oom.group': '1' } };
      if (probe().versionOf('memory') === 1) {
        const field = 'resources.memory.high';
        await expect(probe().create(high)).rejects.toMatchObject(unsupported(field));
        await expect(probe().create(raw)).rejects.toMatchObject(
          unsupported('resources.unified["memory.oom.group"]'),
        );
        return;
      }
      expect((await probe().create(high)).resources).toMatchObject(high);
      const cgroup = await probe().create(raw);
      const file = `${probe().directory(cgroup, 'memory')}/memory.oom.group`;
      expect(readFileSync(file, 'utf8')).toBe('1\n');
      const mixed = { pids: { limit: 5 }, unified: { 'memory.oom.group': '0', 'pids.max': 'few' } };
      await expect(probe().update(cgroup.id, mixed)).rejects.toMatchObject(
        invalid('resources.unified["pids.max"] cannot be set to few'),
      );
      expect(readFileSync(file, 'utf8')).toBe('1\n');
      expect(await probe().get(cgroup.id)).toEqual(cgroup);
    });

    it.each([
      ['cgroup.freeze', 'is not a limit'],
      ['memory.reclaim', 'is not a limit'],
      ['memory.pressure', 'is not a limit'],
      ['../pids.max', 'is no name of a file'],
    ])('a file %s is never written', async (file, problem) => {
      const create = probe().create({ unified: { [file]: '1' } });
      await expect(create).rejects.toMatchObject(invalid(problem));
    });
  });
}
