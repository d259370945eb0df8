import { CgroupServiceService as Service, type HierarchyMode } from '@teu/proto/cgroup';
import { expect, it } from 'vitest';
import { MEBIBYTE, type GroupProbe, type Wanted } from './group-probe.js';
import type { Limit } from './limit-files.js';

const WANTED: Wanted = {
  cpu: { shares: 512, quota: 50_000, period: 200_000 },
  memory: { limit: 64 * MEBIBYTE, reservation: 32 * MEBIBYTE },
  pids: { limit: 77 },
};

/** What the files say then, on version 1 and on version 2. */
const IN_FORCE: readonly [Limit, string, string][] = [
  ['shares', '512', '59'],
  ['quota', '50000', '50000 200000'],
  ['period', '200000', '50000 200000'],
  ['memory', String(64 * MEBIBYTE), String(64 * MEBIBYTE)],
  ['reservation', String(32 * MEBIBYTE), String(32 * MEBIBYTE)],
  ['swap', String(128 * MEBIBYTE), String(64 * MEBIBYTE)],
  ['pids', '77', '77'],
];

const WRONG: readonly Wanted[] = [
  { pids: { limit: 0 } },
  { cpu: { shares: 1 } },
  { cpu: { quota: 0 } },
  { cpu: { period: 10 } },
  { memory: { limit: 0 } },
  { memory: { swap: MEBIBYTE } },
  { memory: { limit: 2 * MEBIBYTE, swap: MEBIBYTE } },
  { memory: { limit: MEBIBYTE, reservation: 2 * MEBIBYTE } },
];

/** Limits of a new group. */
export function describeLimits(probe: () => GroupProbe, modes: readonly HierarchyMode[]): void {
  it('tells how the host is set up', async () => {
    const { service } = probe();
    const hierarchy = await service.channel.unary(Service.getHierarchy, {});
    expect(modes).toContain(hierarchy.mode);
    expect(hierarchy.groupPath).toBe(service.groupPath);
    const names = hierarchy.controllers.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['cpu', 'memory', 'pids']));
  });

  it('sets limits that the kernel has in force', async () => {
    const cgroup = await probe().create(WANTED);
    for (const [limit, v1, v2] of IN_FORCE) {
      expect([v1, v2], limit).toContain(probe().inForce(cgroup, limit));
    }
    expect(await probe().get(cgroup.id)).toEqual(cgroup);
  });

  it('makes the same group again only with the same limits', async () => {
    const wanted: Wanted = { memory: { limit: 20_000_000 } };
    const cgroup = await probe().create(wanted);
    expect(await probe().createAs(cgroup.id, wanted)).toEqual(cgroup);
    for (const other of [{ memory: { limit: 10_000_000 } }, { ...wanted, pids: { limit: 5 } }]) {
      await expect(probe().createAs(cgroup.id, other)).rejects.toMatchObject({
        reason: 'CGROUP_EXISTS',
      });
    }
  });

  it('undoes everything when a limit cannot be set', async () => {
    const id = 'e'.repeat(64);
    const create = probe().createAs(id, { pids: { limit: 2 ** 50 } });
    await expect(create).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    await expect(probe().get(id)).rejects.toMatchObject({ reason: 'CGROUP_NOT_FOUND' });
  });

  it('refuses ids and limits that can never be right', async () => {
    const refused = probe().createAs('../../up');
    await expect(refused).rejects.toMatchObject({ status: 'INVALID_ARGUMENT' });
    for (const wanted of WRONG) {
      const create = probe().createAs('f'.repeat(64), wanted);
      await expect(create).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    }
  });
}
