import type { Cgroup } from '@teu/proto/cgroup';
import { waitFor } from '@teu/testing';
import { expect, it } from 'vitest';
import { FORK_BOMB } from '../../fork-scripts.js';
import type { Wanted } from '../group-probe.js';
import type { GroupsProbe } from './groups-probe.js';

const MEBIBYTE = 1 << 20;

/** Limits that the containers of a group share: measured, not read back. */
export function describeBudgets(probe: () => GroupsProbe): void {
  const two = (group: string): Promise<Cgroup[]> =>
    Promise.all([probe().container(group), probe().container(group)]);
  const end = async (group: string, ...cgroups: Cgroup[]): Promise<void> => {
    await probe().kill(group);
    for (const { id } of cgroups) await probe().remove(id);
    await probe().delete(group);
  };

  it('shares the number of tasks', async () => {
    await probe().create('tasks', { pids: { limit: 40 } });
    const [first, second] = await two('tasks');
    const running = [probe().run(first!, FORK_BOMB), probe().run(second!, FORK_BOMB)];
    // Forty that try to fork all the time leave little of a small machine to whoever looks.
    const isFull = async () => (await probe().stats('tasks')).pids!.currentCount === 40;
    await waitFor(isFull, { timeoutMs: 50_000 });
    const counts = await Promise.all([first!, second!].map(({ id }) => probe().cgroup(id)));
    expect(counts[0]!.processCount + counts[1]!.processCount).toBeLessThanOrEqual(40);
    await end('tasks', first!, second!);
    for (const { ended } of running) expect((await ended).signal).toBe('SIGKILL');
  });

  it('shares memory', async () => {
    const limit = 48 * MEBIBYTE;
    await probe().create('memory', { memory: { limit, swap: limit } });
    const [first, second] = await two('memory');
    // Each fits alone, both do not.
    const hold = `exec /usr/bin/python3 -c 'b = b"x" * (32 << 20); print("held", flush=True); import time; time.sleep(1000)'`;
    const holder = probe().run(first!, hold);
    await new Promise((resolve) => holder.child.stdout!.once('data', resolve));
    const killed = await Promise.race([probe().run(second!, hold).ended, holder.ended]);
    expect(killed.signal).toBe('SIGKILL');
    const { memory } = await probe().stats('memory');
    expect(memory?.limitBytes).toBe(limit);
    expect(memory!.peakBytes).toBeGreaterThan(40 * MEBIBYTE);
    expect(memory!.peakBytes).toBeLessThanOrEqual(limit);
    await end('memory', first!, second!);
  });

  it('tells the smallest limit that is in force', async () => {
    await probe().create('bound', { memory: { limit: 64 * MEBIBYTE }, pids: { limit: 40 } });
    await probe().create('bound/wide', { memory: { limit: 96 * MEBIBYTE } });
    const inForce = async (limits: Wanted): Promise<unknown[]> => {
      const { id } = await probe().container('bound/wide', limits);
      const { memory, pids } = await probe().containerStats(id);
      await probe().remove(id);
      const own = [memory!.limitBytes, pids!.limitCount];
      return [own, [memory!.effectiveLimitBytes, pids!.effectiveLimitCount]];
    };
    const ofGroup = [64 * MEBIBYTE, 40];
    expect(await inForce({})).toEqual([[-1, -1], ofGroup]);
    const less = [32 * MEBIBYTE, 20];
    const [limit, count] = less;
    expect(await inForce({ memory: { limit }, pids: { limit: count } })).toEqual([less, less]);
    const { memory } = await probe().stats('bound/wide');
    expect(memory).toMatchObject({
      limitBytes: 96 * MEBIBYTE,
      effectiveLimitBytes: 64 * MEBIBYTE,
    });
    await probe().delete('bound', true);
  });

  it('shares time of processors', async () => {
    await probe().create('time', { cpu: { quota: 20_000, period: 100_000 } });
    const [first, second] = await two('time');
    const spin = 'while :; do :; done';
    const running = [probe().run(first!, spin), probe().run(second!, spin)];
    const figures = async (): Promise<{ used: number; periods: number }> => {
      const { usageDuration, periodCount } = (await probe().stats('time')).cpu!;
      return { used: usageDuration!.seconds + usageDuration!.nanos / 1e9, periods: periodCount };
    };
    await waitFor(async () => (await figures()).used > 0.05);
    const before = await figures();
    await waitFor(async () => (await figures()).used > before.used + 0.2);
    const after = await figures();
    // By the kernel's own count of periods, which a busy machine does not change. Two that are free would use ten times
    // the quota of each; the periods at both ends are not whole, and the timer's tick stops them a little late.
    const quotas = (after.periods - before.periods + 2) * 0.02;
    expect(after.used - before.used).toBeLessThan(1.5 * quotas);
    await end('time', first!, second!);
    await Promise.all(running.map(({ ended }) => ended));
  });

  it('holds groups in a group to its limits, whatever theirs are', async () => {
    await probe().create('outer', { pids: { limit: 20 } });
    await probe().create('outer/inner', { pids: { limit: 1000 } });
    const cgroup = await probe().container('outer/inner', { pids: { limit: 500 } });
    const { ended } = probe().run(cgroup, FORK_BOMB);
    await waitFor(async () => (await probe().stats('outer')).pids!.currentCount === 20);
    await probe().kill('outer');
    expect((await ended).signal).toBe('SIGKILL');
    await probe().remove(cgroup.id);
    await probe().delete('outer', true);
  });

  it('holds containers that ask for none to the processors of their group', async () => {
    await probe().create('processors', { cpu: { cpus: '0' } });
    const cgroup = await probe().container('processors');
    const { ended } = probe().run(cgroup, 'grep Cpus_allowed_list /proc/self/status');
    expect((await ended).output).toBe('Cpus_allowed_list:\t0\n');
    expect((await probe().get('processors')).resources?.cpu?.cpus).toBe('0');
    await end('processors', cgroup);
  });

  it('changes limits under what runs', async () => {
    await probe().create('change', { pids: { limit: 10 } });
    const cgroup = await probe().container('change');
    const { ended } = probe().run(cgroup, FORK_BOMB);
    await waitFor(async () => (await probe().stats('change')).pids!.currentCount === 10);
    expect((await probe().update('change', { pids: { limit: 30 } })).resources?.pids?.limit).toBe(
      30,
    );
    await waitFor(async () => (await probe().stats('change')).pids!.currentCount === 30);
    const wrong = probe().update('change', { pids: { limit: 2 ** 50 }, cpu: { quota: 50_000 } });
    await expect(wrong).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    expect((await probe().get('change')).resources).toMatchObject({
      cpu: undefined,
      pids: { limit: 30 },
    });
    await end('change', cgroup);
    await ended;
  });
}
