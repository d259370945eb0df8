import { CgroupServiceService as Service, HierarchyMode, type Cgroup } from '@teu/proto/cgroup';
import type { LinuxResources } from '@teu/proto/type';
import { requires, waitFor } from '@teu/testing';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORK_BOMB, STORM } from './testing/fork-scripts.js';
import { runInGroup } from './testing/run-in-group.js';
import { startService, type StartedService } from './testing/start-service.js';

const MEBIBYTE = 1 << 20;

describe.runIf(requires('root', 'cgroup_v1'))('cgroups of version 1', () => {
  let service: StartedService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(async () => {
    await service.close();
  });

  const membershipOf = (cgroup: Cgroup) => cgroup.membership!;
  const directory = (cgroup: Cgroup, controller: string): string =>
    membershipOf(cgroup)
      .v1TasksPaths.find((path) => path.startsWith(`/sys/fs/cgroup/${controller}/`))!
      .replace(/\/tasks$/, '');
  const inForce = (cgroup: Cgroup, controller: string, file: string): string =>
    readFileSync(`${directory(cgroup, controller)}/${file}`, 'utf8').trim();
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
    expect([HierarchyMode.HIERARCHY_MODE_V1, HierarchyMode.HIERARCHY_MODE_HYBRID]).toContain(
      hierarchy.mode,
    );
    expect(hierarchy.groupPath).toBe(service.groupPath);
    const names = hierarchy.controllers.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['cpu', 'memory', 'pids', 'freezer', 'devices']));
  });

  it('sets limits that the kernel has in force', async () => {
    const cgroup = await service.create({
      cpu: { shares: 512, quota: 50_000, period: 200_000 },
      memory: { limit: 64 * MEBIBYTE, reservation: 32 * MEBIBYTE },
      pids: { limit: 77 },
    });
    expect(inForce(cgroup, 'cpu', 'cpu.shares')).toBe('512');
    expect(inForce(cgroup, 'cpu', 'cpu.cfs_quota_us')).toBe('50000');
    expect(inForce(cgroup, 'cpu', 'cpu.cfs_period_us')).toBe('200000');
    expect(inForce(cgroup, 'memory', 'memory.limit_in_bytes')).toBe(String(64 * MEBIBYTE));
    expect(inForce(cgroup, 'memory', 'memory.soft_limit_in_bytes')).toBe(String(32 * MEBIBYTE));
    expect(inForce(cgroup, 'memory', 'memory.memsw.limit_in_bytes')).toBe(String(128 * MEBIBYTE));
    expect(inForce(cgroup, 'pids', 'pids.max')).toBe('77');
    expect(await get(cgroup.id)).toEqual(cgroup);
  });

  it('makes the same group again only with the same limits', async () => {
    const resources: LinuxResources = {
      memory: { limit: 20_000_000 },
      cpu: undefined,
      pids: undefined,
    };
    const cgroup = await service.create(resources);
    const again = (wanted: LinuxResources | undefined) =>
      service.channel.unary(Service.createCgroup, { id: cgroup.id, resources: wanted });
    expect((await again(resources)).cgroup).toEqual(cgroup);
    await expect(again(undefined)).rejects.toMatchObject({ reason: 'CGROUP_EXISTS' });
    await expect(again({ ...resources, pids: { limit: 5 } })).rejects.toMatchObject({
      reason: 'CGROUP_EXISTS',
    });
  });

  it('makes anew what a crash left half made', async () => {
    const cgroup = await service.create({ cpu: undefined, memory: undefined, pids: { limit: 9 } });
    rmdirSync(directory(cgroup, 'freezer'));
    const { channel } = service;
    const made = await channel.unary(Service.createCgroup, { id: cgroup.id, resources: undefined });
    expect(made.cgroup?.resources).toEqual({ cpu: undefined, memory: undefined, pids: undefined });
    expect(inForce(cgroup, 'pids', 'pids.max')).toBe('max');
  });

  it('undoes everything when a limit cannot be set', async () => {
    const id = 'e'.repeat(64);
    const create = service.channel.unary(Service.createCgroup, {
      id,
      resources: { cpu: undefined, memory: undefined, pids: { limit: 2 ** 50 } },
    });
    await expect(create).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    await expect(get(id)).rejects.toMatchObject({ reason: 'CGROUP_NOT_FOUND' });
  });

  it('lets a container use the usual devices and no others', async () => {
    const cgroup = await service.create();
    const { ended } = runInGroup(
      membershipOf(cgroup),
      `cd $(mktemp -d) && d() { mknod n c $1 $2 2>&- && (: < n) 2>&-; echo $1:$2 $?; rm -f n; };
       d 1 3; d 1 5; d 1 7; d 1 8; d 1 9; d 1 1; d 1 11; d 10 200; d 10 229; d 4 64;
       mknod w c 0 0; echo whiteout $?; mknod b b 7 0 2>&-; echo loop $?; rm -rf "$PWD"`,
    );
    const { output } = await ended;
    const allowed = output.split('\n').filter((line) => line.endsWith(' 0'));
    expect(allowed).toEqual(['1:3 0', '1:5 0', '1:7 0', '1:8 0', '1:9 0', 'whiteout 0']);
    expect(output.split('\n')).toHaveLength(13);
  });

  it('counts what the kernel kills for want of memory', async () => {
    const memory = { limit: 16 * MEBIBYTE, swap: 16 * MEBIBYTE };
    const cgroup = await service.create({ cpu: undefined, memory, pids: undefined });
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
    const cpu = { shares: undefined, quota: 10_000, period: 100_000 };
    const cgroup = await service.create({ cpu, memory: undefined, pids: undefined });
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

  it('stops a fork bomb and kills it whole', async () => {
    const cgroup = await service.create({ cpu: undefined, memory: undefined, pids: { limit: 60 } });
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
    const freezer = directory(cgroup, 'freezer');
    mkdirSync(`${freezer}/inner`);
    const outer = runInGroup(membership, 'while :; do sleep 0.01; done');
    const inner = runInGroup(
      membership,
      `echo 0 > ${freezer}/inner/tasks; while :; do sleep 0.01; done`,
    );
    await waitFor(() => readFileSync(`${freezer}/inner/cgroup.procs`, 'utf8') !== '');
    writeFileSync(`${freezer}/inner/freezer.state`, 'FROZEN');
    await service.channel.unary(Service.freezeCgroup, { id: cgroup.id });
    expect((await get(cgroup.id)).frozen).toBe(true);
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
    for (const controller of ['memory', 'freezer', 'pids']) {
      let path = directory(cgroup, controller);
      for (let depth = 0; depth < 10; depth += 1) mkdirSync((path += '/nested'));
      for (let index = 0; index < 10; index += 1) {
        mkdirSync(`${directory(cgroup, controller)}/side${index}`);
      }
    }
    await expect(remove(cgroup.id)).rejects.toMatchObject({ reason: 'CGROUP_BUSY' });
    expect((await remove(cgroup.id, true)).finalStats?.readTime).toBeDefined();
    expect((await running.ended).signal).toBe('SIGKILL');
    expect(existsSync(directory(cgroup, 'memory'))).toBe(false);
    expect((await remove(cgroup.id)).finalStats).toBeUndefined();
  });

  it('changes limits in an order that the kernel takes', async () => {
    const limit = (size: number, swap?: number): LinuxResources => ({
      cpu: undefined,
      memory: { limit: size * MEBIBYTE, swap: swap === undefined ? undefined : swap * MEBIBYTE },
      pids: undefined,
    });
    const { id } = await service.create(limit(64));
    expect((await update(id, limit(512, 600))).resources?.memory).toMatchObject({
      limit: 512 * MEBIBYTE,
    });
    expect((await update(id, limit(32, 40))).resources?.memory).toMatchObject({
      swap: 40 * MEBIBYTE,
    });
    await expect(update(id, limit(64))).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    const open = {
      cpu: { quota: 5000, period: 10_000 },
      memory: { limit: -1 },
      pids: { limit: 3 },
    };
    const changed = await update(id, open);
    expect(changed.resources?.memory).toBeUndefined();
    expect(changed.resources?.cpu).toMatchObject({ quota: 5000, period: 10_000 });
    expect(changed.resources?.pids).toMatchObject({ limit: 3 });
  });

  it('refuses a limit below what is in use, and sets back what it had changed', async () => {
    const memory = { limit: 128 * MEBIBYTE, swap: 128 * MEBIBYTE };
    const cgroup = await service.create({ cpu: undefined, memory, pids: { limit: 50 } });
    const holder = runInGroup(
      membershipOf(cgroup),
      `exec ${process.execPath} -e 'Buffer.alloc(64 << 20, 1).length && setInterval(() => 0, 1000)'`,
    );
    const used = async () => (await stats(cgroup.id)).memory?.usageBytes ?? 0;
    await waitFor(async () => (await used()) > 32 * MEBIBYTE); // Well above the new limit.
    const small = { cpu: { shares: 2 }, memory: { limit: 8 * MEBIBYTE }, pids: { limit: 40 } };
    await expect(update(cgroup.id, small)).rejects.toMatchObject({ reason: 'INVALID_STATE' });
    expect((await get(cgroup.id)).resources).toEqual(cgroup.resources);
    await kill(cgroup.id);
    expect((await holder.ended).signal).toBe('SIGKILL');
  });

  it('kills trees that fork and part from their parents, again and again', async () => {
    for (let round = 0; round < 5; round += 1) {
      const pids = { limit: 40 + 30 * round };
      const cgroup = await service.create({ cpu: undefined, memory: undefined, pids });
      const { ended } = runInGroup(membershipOf(cgroup), STORM);
      await waitFor(async () => (await get(cgroup.id)).processCount > 20);
      // How many there are at that moment is the storm's affair: they live for milliseconds each.
      expect(await kill(cgroup.id)).toBeGreaterThan(0);
      await ended;
      expect((await get(cgroup.id)).processCount).toBe(0);
      await remove(cgroup.id);
    }
  });

  it('lists groups in pages, also what was left half removed', async () => {
    const whole = await service.create();
    const half = await service.create();
    rmdirSync(directory(half, 'freezer'));
    const ids: string[] = [];
    let pageToken = '';
    do {
      const page = await service.channel.unary(Service.listCgroups, { pageSize: 2, pageToken });
      ids.push(...page.cgroups.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(ids).toEqual([...ids].sort());
    expect(ids).toEqual(expect.arrayContaining([whole.id, half.id]));
    await remove(half.id);
    await expect(get(half.id)).rejects.toMatchObject({ reason: 'CGROUP_NOT_FOUND' });
  });

  it('refuses ids and limits that can never be right', async () => {
    const create = (id: string, resources?: LinuxResources) =>
      service.channel.unary(Service.createCgroup, { id, resources });
    await expect(create('../../up')).rejects.toMatchObject({ status: 'INVALID_ARGUMENT' });
    const none = { cpu: undefined, memory: undefined, pids: undefined };
    const wrong: LinuxResources[] = [
      { ...none, pids: { limit: 0 } },
      { ...none, cpu: { shares: 1 } },
      { ...none, cpu: { quota: 0 } },
      { ...none, cpu: { period: 10 } },
      { ...none, memory: { limit: 0 } },
      { ...none, memory: { swap: MEBIBYTE } },
      { ...none, memory: { limit: 2 * MEBIBYTE, swap: MEBIBYTE } },
      { ...none, memory: { limit: MEBIBYTE, reservation: 2 * MEBIBYTE } },
    ];
    for (const resources of wrong) {
      await expect(create('f'.repeat(64), resources)).rejects.toMatchObject({
        reason: 'INVALID_ARGUMENT',
      });
    }
  });
});
