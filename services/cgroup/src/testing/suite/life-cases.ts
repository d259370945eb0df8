import { CgroupServiceService as Service, type Cgroup } from '@teu/proto/cgroup';
import { waitFor } from '@teu/testing';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { GroupProbe } from './group-probe.js';

/** Groups that come, are left half made, and go. */
export function describeLives(probe: () => GroupProbe): void {
  /** As a crash in the middle leaves a group: without its last directory. */
  const leaveHalf = (cgroup: Cgroup): void => {
    rmdirSync(
      probe().has('freezer')
        ? probe().directory(cgroup, 'freezer')
        : cgroup.membership!.v2Directory,
    );
  };

  it('makes anew what a crash left half made', async () => {
    const cgroup = await probe().create({ pids: { limit: 9 } });
    leaveHalf(cgroup);
    const made = await probe().createAs(cgroup.id);
    expect(made.resources).toMatchObject({ cpu: undefined, memory: undefined, pids: undefined });
    expect(probe().inForce(cgroup, 'pids')).toBe('max');
  });

  it('deletes the groups that a container made, and none with processes unless forced', async () => {
    const cgroup = await probe().create();
    const running = probe().run(cgroup, 'sleep 1000');
    await waitFor(async () => (await probe().get(cgroup.id)).processCount > 0);
    const places = new Set(['memory', 'pids', 'freezer'].filter((name) => probe().has(name)));
    for (const path of new Set([...places].map((name) => probe().directory(cgroup, name)))) {
      let nested = path;
      for (let depth = 0; depth < 10; depth += 1) mkdirSync((nested += '/nested'));
      for (let index = 0; index < 10; index += 1) mkdirSync(`${path}/side${index}`);
    }
    await expect(probe().remove(cgroup.id)).rejects.toMatchObject({ reason: 'CGROUP_BUSY' });
    expect((await probe().remove(cgroup.id, true))?.readTime).toBeDefined();
    expect((await running.ended).signal).toBe('SIGKILL');
    expect(existsSync(probe().directory(cgroup, 'memory'))).toBe(false);
    expect(await probe().remove(cgroup.id)).toBeUndefined();
  });

  it('lists groups in pages, also what was left half removed', async () => {
    const whole = await probe().create();
    const half = await probe().create();
    if (probe().has('freezer')) leaveHalf(half);
    const ids: string[] = [];
    let pageToken = '';
    do {
      const request = { pageSize: 2, pageToken };
      const page = await probe().service.channel.unary(Service.listCgroups, request);
      ids.push(...page.cgroups.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(ids).toEqual([...ids].sort());
    expect(ids).toEqual(expect.arrayContaining([whole.id, half.id]));
    await probe().remove(half.id);
    await expect(probe().get(half.id)).rejects.toMatchObject({ reason: 'CGROUP_NOT_FOUND' });
  });
}
