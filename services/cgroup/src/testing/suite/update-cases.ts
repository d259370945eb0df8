import { waitFor } from '@teu/testing';
import { expect, it } from 'vitest';
import { MEBIBYTE, type GroupProbe, type Wanted } from './group-probe.js';

const sized = (size: number, swap?: number): Wanted => ({
  memory: { limit: size * MEBIBYTE, swap: swap === undefined ? undefined : swap * MEBIBYTE },
});

/** Changes of limits that are in force. */
export function describeUpdates(probe: () => GroupProbe): void {
  it('changes limits in an order that the kernel takes', async () => {
    const { id } = await probe().create(sized(64));
    const memoryOf = async (wanted: Wanted) => (await probe().update(id, wanted)).resources?.memory;
    expect(await memoryOf(sized(512, 600))).toMatchObject({ limit: 512 * MEBIBYTE });
    expect(await memoryOf(sized(32, 40))).toMatchObject({ swap: 40 * MEBIBYTE });
    await expect(probe().update(id, sized(64))).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
    });
    const cpu = { quota: 5000, period: 10_000 };
    const changed = await probe().update(id, { cpu, memory: { limit: -1 }, pids: { limit: 3 } });
    expect(changed.resources?.memory).toBeUndefined();
    expect(changed.resources).toMatchObject({ cpu, pids: { limit: 3 } });
  });

  it('replaces all limits by others, as if it was made with them', async () => {
    const cgroup = await probe().create({
      cpu: { shares: 300, quota: 50_000, burst: 10_000, cpus: '0' },
      memory: { limit: 64 * MEBIBYTE, reservation: 32 * MEBIBYTE },
      pids: { limit: 9 },
      blockIo: { weight: 300 },
    });
    const wanted: Wanted = { memory: { limit: 32 * MEBIBYTE }, cpu: { shares: 400 } };
    const replaced = await probe().update(cgroup.id, wanted, true);
    const made = await probe().create(wanted);
    expect(replaced.resources).toEqual(made.resources);
    expect(await probe().update(cgroup.id, {}, true)).toMatchObject({
      resources: (await probe().create()).resources,
    });
  });

  it('refuses a memory limit below what is in use, kills nobody, and sets back the rest', async () => {
    const memory = { limit: 128 * MEBIBYTE, swap: 128 * MEBIBYTE };
    const cgroup = await probe().create({ memory, pids: { limit: 50 } });
    const holder = probe().run(
      cgroup,
      `exec ${process.execPath} -e 'const held = Buffer.alloc(64 << 20, 1); setInterval(() => held, 1000)'`,
    );
    const used = async () => (await probe().stats(cgroup.id)).memory?.usageBytes ?? 0;
    await waitFor(async () => (await used()) > 64 * MEBIBYTE);
    const small = { cpu: { shares: 2 }, memory: { limit: 8 * MEBIBYTE }, pids: { limit: 40 } };
    await expect(probe().update(cgroup.id, small)).rejects.toMatchObject({
      reason: 'INVALID_STATE',
    });
    expect((await probe().get(cgroup.id)).resources).toEqual(cgroup.resources);
    expect((await probe().stats(cgroup.id)).memory?.oomKillCount).toBe(0);
    await probe().kill(cgroup.id);
    expect((await holder.ended).signal).toBe('SIGKILL');
  });
}
