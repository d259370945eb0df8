import { CgroupServiceService as Service, HierarchyMode, type Cgroup } from '@teu/proto/cgroup';
import type { LinuxResources } from '@teu/proto/type';
import { waitFor } from '@teu/testing';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORK_BOMB } from './testing/fork-scripts.js';
import { runInGroup } from './testing/run-in-group.js';
import { startService, type StartedService } from './testing/start-service.js';

const MEBIBYTE = 1 << 20;
const NONE: LinuxResources = { cpu: undefined, memory: undefined, pids: undefined };

describe('cgroups of version 2 on a kernel', () => {
  let service: StartedService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(async () => {
    const { groupPath } = service;
    await service.close();
    expect(existsSync(`/sys/fs/cgroup/${groupPath}`)).toBe(false);
  });

  const membershipOf = (cgroup: Cgroup) => cgroup.membership!;
  const directory = (cgroup: Cgroup): string => membershipOf(cgroup).v2Directory;
  const inForce = (cgroup: Cgroup, file: string): string =>
    readFileSync(`${directory(cgroup)}/${file}`, 'utf8').trim();
  const get = async (id: string) =>
    (await service.channel.unary(Service.getCgroup, { id })).cgroup!;
  const stats = async (id: string) =>
    (await service.channel.unary(Service.getStats, { id })).stats!;
  const update = async (id: string, resources: LinuxResources) =>
    (await service.channel.unary(Service.updateCgroup, { id, resources })).cgroup!;
  const kill = async (id: string) =>
    (await service.channel.unary(Service.killCgroup, { id })).killedCount;
  const remove = (id: string, force = false) =>
    service.channel.unary(Service.deleteCgroup, { id, force });

  it('tells how the host is set up', async () => {
    const hierarchy = await service.channel.unary(Service.getHierarchy, {});
    expect(hierarchy.mode).toBe(HierarchyMode.HIERARCHY_MODE_V2);
    const names = hierarchy.controllers.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['cpu', 'memory', 'pids', 'io']));
  });

  it('sets limits that the kernel has in force', async () => {
    const cgroup = await service.create({
      cpu: { shares: 512, quota: 50_000, period: 200_000 },
      memory: { limit: 64 * MEBIBYTE, reservation: 32 * MEBIBYTE },
      pids: { limit: 77 },
    });
    expect(inForce(cgroup, 'cpu.weight')).toBe('59');
    expect(inForce(cgroup, 'cpu.max')).toBe('50000 200000');
    expect(inForce(cgroup, 'memory.max')).toBe(String(64 * MEBIBYTE));
    expect(inForce(cgroup, 'memory.low')).toBe(String(32 * MEBIBYTE));
    expect(inForce(cgroup, 'memory.swap.max')).toBe(String(64 * MEBIBYTE));
    expect(inForce(cgroup, 'pids.max')).toBe('77');
    expect(await get(cgroup.id)).toEqual(cgroup);
  });

  it('makes the same group again only with the same limits', async () => {
    const resources: LinuxResources = { ...NONE, memory: { limit: 20_000_000 } };
    const cgroup = await service.create(resources);
    const again = (wanted: LinuxResources | undefined) =>
      service.channel.unary(Service.createCgroup, { id: cgroup.id, resources: wanted });
    expect((await again(resources)).cgroup).toEqual(cgroup);
    await expect(again({ ...resources, pids: { limit: 5 } })).rejects.toMatchObject({
      reason: 'CGROUP_EXISTS',
    });
  });

  it('undoes everything when a limit cannot be set', async () => {
    const id = 'e'.repeat(64);
    const create = service.channel.unary(Service.createCgroup, {
      id,
      resources: { ...NONE, pids: { limit: 2 ** 50 } },
    });
    await expect(create).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    await expect(get(id)).rejects.toMatchObject({ reason: 'CGROUP_NOT_FOUND' });
  });

  it('counts what the kernel kills for want of memory', async () => {
    const memory = { limit: 16 * MEBIBYTE, swap: 16 * MEBIBYTE };
    const cgroup = await service.create({ ...NONE, memory });
    const { ended } = runInGroup(
      membershipOf(cgroup),
      'head -c 100m /dev/zero | tail > /dev/null; exit $?',
    );
    expect((await ended).code).toBe(137);
    const { memory: figures } = await stats(cgroup.id);
    expect(figures?.oomKillCount).toBeGreaterThan(0);
    expect(figures?.limitHitCount).toBeGreaterThan(0);
    expect(figures?.limitBytes).toBe(16 * MEBIBYTE);
    expect(figures?.peakBytes).toBeGreaterThan(15 * MEBIBYTE);
  });

  it('holds a process to its share of a processor', async () => {
    const cgroup = await service.create({ ...NONE, cpu: { quota: 10_000, period: 100_000 } });
    const { ended } = runInGroup(membershipOf(cgroup), 'while :; do :; done');
    await waitFor(async () => (await stats(cgroup.id)).cpu!.throttledPeriodCount >= 3);
    expect(await kill(cgroup.id)).toBe(1);
    await ended;
    const { cpu: figures } = await stats(cgroup.id);
    expect(figures!.usageDuration!.nanos).toBeGreaterThan(0);
    expect(
      figures!.throttledDuration!.seconds * 1e9 + figures!.throttledDuration!.nanos,
    ).toBeGreaterThan(0);
  });

  it('gives two busy groups time in proportion to their shares', async () => {
    const [light, heavy] = await Promise.all([
      service.create({ ...NONE, cpu: { shares: 128 } }),
      service.create({ ...NONE, cpu: { shares: 8192 } }),
    ]);
    // On one processor, or each would have one to itself.
    const spin = 'exec taskset -c 0 sh -c "while :; do :; done"';
    const running = [light, heavy].map((cgroup) => runInGroup(membershipOf(cgroup), spin));
    const used = async ({ id }: Cgroup) => {
      const { seconds, nanos } = (await stats(id)).cpu!.usageDuration!;
      return seconds + nanos / 1e9;
    };
    // One may have been alone for a while; from here on both are there.
    await waitFor(async () => (await used(light)) > 0 && (await used(heavy)) > 0);
    const [lightBefore, heavyBefore] = [await used(light), await used(heavy)];
    await waitFor(async () => (await used(heavy)) > heavyBefore + 2);
    const [lightTime, heavyTime] = [
      (await used(light)) - lightBefore,
      (await used(heavy)) - heavyBefore,
    ];
    expect(heavyTime / lightTime).toBeGreaterThan(4);
    for (const { id } of [light, heavy]) await kill(id);
    await Promise.all(running.map(({ ended }) => ended));
  });

  it('stops a fork bomb and kills it whole', async () => {
    const cgroup = await service.create({ ...NONE, pids: { limit: 60 } });
    const { ended } = runInGroup(membershipOf(cgroup), FORK_BOMB);
    await waitFor(async () => (await stats(cgroup.id)).pids!.limitHitCount > 0);
    expect((await stats(cgroup.id)).pids!.currentCount).toBeLessThanOrEqual(60);
    await kill(cgroup.id);
    expect((await ended).signal).toBe('SIGKILL');
    expect((await get(cgroup.id)).processCount).toBe(0);
    const { finalStats } = await remove(cgroup.id);
    expect(finalStats!.pids!.limitHitCount).toBeGreaterThan(0);
  });

  it('freezes, and kills what is frozen, also what the container froze itself', async () => {
    const cgroup = await service.create();
    const membership = membershipOf(cgroup);
    const innerGroup = `${directory(cgroup)}/inner`;
    mkdirSync(innerGroup);
    const outer = runInGroup(membership, 'while :; do sleep 0.01; done');
    const inner = runInGroup(
      { ...membership, v2Directory: innerGroup },
      'while :; do sleep 0.01; done',
    );
    await waitFor(() => readFileSync(`${innerGroup}/cgroup.procs`, 'utf8') !== '');
    writeFileSync(`${innerGroup}/cgroup.freeze`, '1');
    await service.channel.unary(Service.freezeCgroup, { id: cgroup.id });
    expect((await get(cgroup.id)).frozen).toBe(true);
    expect(inForce(cgroup, 'cgroup.events')).toContain('frozen 1');
    await service.channel.unary(Service.thawCgroup, { id: cgroup.id });
    expect((await get(cgroup.id)).frozen).toBe(false);
    await service.channel.unary(Service.freezeCgroup, { id: cgroup.id });
    await kill(cgroup.id);
    expect((await outer.ended).signal).toBe('SIGKILL');
    expect((await inner.ended).signal).toBe('SIGKILL');
    expect((await get(cgroup.id)).processCount).toBe(0);
  });

  it('deletes the groups that a container made, and none with processes unless forced', async () => {
    const cgroup = await service.create();
    const running = runInGroup(membershipOf(cgroup), 'sleep 1000');
    await waitFor(async () => (await get(cgroup.id)).processCount > 0);
    let path = directory(cgroup);
    for (let depth = 0; depth < 10; depth += 1) mkdirSync((path += '/nested'));
    await expect(remove(cgroup.id)).rejects.toMatchObject({ reason: 'CGROUP_BUSY' });
    expect((await remove(cgroup.id, true)).finalStats?.readTime).toBeDefined();
    expect((await running.ended).signal).toBe('SIGKILL');
    expect(existsSync(directory(cgroup))).toBe(false);
    expect((await remove(cgroup.id)).finalStats).toBeUndefined();
  });

  it('changes limits in an order that the kernel takes', async () => {
    const limit = (size: number, swap?: number): LinuxResources => ({
      ...NONE,
      memory: { limit: size * MEBIBYTE, swap: swap === undefined ? undefined : swap * MEBIBYTE },
    });
    const { id } = await service.create(limit(64));
    const memoryOf = async (resources: LinuxResources) =>
      (await update(id, resources)).resources?.memory;
    expect(await memoryOf(limit(512, 600))).toMatchObject({ limit: 512 * MEBIBYTE });
    expect(await memoryOf(limit(32, 40))).toMatchObject({ swap: 40 * MEBIBYTE });
    await expect(update(id, limit(64))).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    const cpu = { quota: 5000, period: 10_000 };
    const changed = await update(id, { cpu, memory: { limit: -1 }, pids: { limit: 3 } });
    expect(changed.resources?.memory).toBeUndefined();
    expect(changed.resources).toMatchObject({ cpu, pids: { limit: 3 } });
  });

  it('refuses a memory limit below what is in use, and kills nobody for it', async () => {
    const memory = { limit: 128 * MEBIBYTE, swap: 128 * MEBIBYTE };
    const cgroup = await service.create({ ...NONE, memory, pids: { limit: 50 } });
    const holder = runInGroup(
      membershipOf(cgroup),
      `exec ${process.execPath} -e 'Buffer.alloc(64 << 20, 1).length && setInterval(() => 0, 1000)'`,
    );
    const used = async () => (await stats(cgroup.id)).memory?.usageBytes ?? 0;
    await waitFor(async () => (await used()) > 64 * MEBIBYTE);
    const small = { cpu: { shares: 2 }, memory: { limit: 8 * MEBIBYTE }, pids: { limit: 40 } };
    await expect(update(cgroup.id, small)).rejects.toMatchObject({ reason: 'INVALID_STATE' });
    expect((await get(cgroup.id)).resources).toEqual(cgroup.resources);
    expect((await stats(cgroup.id)).memory?.oomKillCount).toBe(0);
    await kill(cgroup.id);
    expect((await holder.ended).signal).toBe('SIGKILL');
  });

  it('counts what is read from a disk', async () => {
    const cgroup = await service.create();
    const read = 'dd if=/dev/vda of=/dev/null bs=1M count=8 iflag=direct';
    expect((await runInGroup(membershipOf(cgroup), read).ended).code).toBe(0);
    expect((await stats(cgroup.id)).io?.readBytes).toBeGreaterThanOrEqual(8 * MEBIBYTE);
  });
});
