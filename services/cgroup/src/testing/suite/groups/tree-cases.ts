import { waitFor } from '@teu/testing';
import { existsSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { directoriesOf, type GroupsProbe } from './groups-probe.js';

/** Groups that are made, looked at and removed. */
export function describeTree(probe: () => GroupsProbe): void {
  it('makes a group once, and containers in it where every hierarchy has them', async () => {
    const group = await probe().create('tree', { pids: { limit: 9 } }, { who: 'me' });
    expect(group).toMatchObject({ name: 'tree', labels: { who: 'me' }, containerCount: 0 });
    expect(group.resources?.pids?.limit).toBe(9);
    expect(await probe().create('tree', { pids: { limit: 9 } }, { who: 'me' })).toEqual(group);
    for (const [wanted, labels] of [
      [{ pids: { limit: 8 } }, { who: 'me' }],
      [{ pids: { limit: 9 } }, {}],
    ] as const) {
      const again = probe().create('tree', wanted, labels);
      await expect(again).rejects.toMatchObject({ reason: 'GROUP_EXISTS' });
    }
    await probe().create('tree/inner');
    const cgroup = await probe().container('tree/inner', { pids: { limit: 5 } });
    expect(cgroup.group).toBe('tree/inner');
    expect(await probe().cgroup(cgroup.id)).toEqual(cgroup);
    for (const path of directoriesOf(cgroup)) {
      expect(path.endsWith(`/${probe().service.groupPath}/g.tree/g.inner/${cgroup.id}`)).toBe(true);
      expect(existsSync(path)).toBe(true);
    }
    expect(
      await probe().container('tree/inner', { pids: { limit: 5 } }, cgroup.id as never),
    ).toEqual(cgroup);
    const elsewhere = probe().container('tree', { pids: { limit: 5 } }, cgroup.id);
    await expect(elsewhere).rejects.toMatchObject({ reason: 'CGROUP_EXISTS' });
    expect(await probe().get('tree')).toMatchObject({ containerCount: 1, groupCount: 1 });
    await probe().remove(cgroup.id);
    expect(await probe().get('tree')).toMatchObject({ containerCount: 0 });
    await probe().delete('tree', true);
  });

  it('refuses what is not there, and leaves nothing half made', async () => {
    const missing = { reason: 'GROUP_NOT_FOUND' };
    await expect(probe().create('no/such')).rejects.toMatchObject(missing);
    await expect(probe().container('no')).rejects.toMatchObject(missing);
    await expect(probe().get('no')).rejects.toMatchObject(missing);
    await expect(probe().update('no', {})).rejects.toMatchObject(missing);
    await expect(probe().delete('no')).rejects.toMatchObject(missing);
    await expect(probe().freeze('no')).rejects.toMatchObject(missing);
    await expect(probe().stats('no')).rejects.toMatchObject(missing);
    await expect(probe().names('no')).rejects.toMatchObject(missing);
    for (const name of ['', '..', '/a', 'a/', 'a//b', 'a/../b', 'a b', 'é', 'n'.repeat(65)]) {
      await expect(probe().create(name)).rejects.toMatchObject({ reason: 'INVALID_ID' });
    }
    const wrong = probe().create('wrong', { pids: { limit: 2 ** 50 } });
    await expect(wrong).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    const rule = { allow: true, type: 'c', major: 10, minor: 229, access: 'rwm' };
    await expect(probe().create('wrong', { devices: [rule] })).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      metadata: { field: 'resources.devices' },
    });
    await expect(probe().get('wrong')).rejects.toMatchObject(missing);
    expect(await probe().names()).toEqual([]);
  });

  it('lists groups in pages, all or those in one', async () => {
    for (const name of ['b', 'a', 'a/x', 'a/x/y', 'a-z', 'b/x']) await probe().create(name);
    expect(await probe().names()).toEqual(['a', 'a-z', 'a/x', 'a/x/y', 'b', 'b/x']);
    expect(await probe().names('a', 1)).toEqual(['a/x', 'a/x/y']);
    expect(await probe().names('b/x')).toEqual([]);
    for (const name of ['a', 'a-z', 'b']) await probe().delete(name, true);
  });

  it('removes a group only when nothing is in it', async () => {
    await probe().create('busy');
    await probe().create('busy/inner');
    const busy = probe().delete('busy');
    await expect(busy).rejects.toMatchObject({
      reason: 'GROUP_BUSY',
      metadata: { container_count: '0', group_count: '1' },
    });
    const { id } = await probe().container('busy/inner');
    await expect(probe().delete('busy', true)).rejects.toMatchObject({
      reason: 'GROUP_BUSY',
      message: 'group "busy" cannot be removed: it holds 1 container and 1 group',
    });
    expect(await probe().names('busy')).toEqual(['busy/inner']);
    await probe().remove(id);
    await probe().delete('busy', true);
    expect(await probe().names()).toEqual([]);
  });

  it('lets a container into a group that goes at that moment wholly or not at all', async () => {
    for (let round = 0; round < 5; round += 1) {
      await probe().create('gone');
      const [removal, creation] = await Promise.allSettled([
        probe().delete('gone'),
        probe().container('gone'),
      ]);
      if (creation.status === 'fulfilled') {
        expect(removal).toMatchObject({ reason: { reason: 'GROUP_BUSY' } });
        await probe().remove(creation.value.id);
        await probe().delete('gone');
      } else {
        expect(creation.reason).toMatchObject({ reason: 'GROUP_NOT_FOUND' });
        expect(removal.status).toBe('fulfilled');
      }
    }
  });

  it('makes a group again that somebody has removed', async () => {
    await probe().create('lost', { pids: { limit: 7 } });
    await probe().create('lost/inner');
    const { id, ...rest } = await probe().container('lost/inner');
    const inner = directoriesOf({ id, ...rest }).map((path) => dirname(path));
    await probe().remove(id);
    for (const path of inner) rmdirSync(path);
    for (const path of inner) rmdirSync(dirname(path));
    const cgroup = await probe().container('lost/inner');
    const limits = directoriesOf(cgroup)
      .map((path) => join(dirname(dirname(path)), 'pids.max'))
      .filter((path) => existsSync(path));
    expect(limits.map((path) => readFileSync(path, 'utf8'))).toEqual(['7\n']);
    await probe().remove(cgroup.id);
    await probe().delete('lost', true);
  });

  it('counts what is in a group, also of containers that have ended', async () => {
    await probe().create('figures');
    const cgroup = await probe().container('figures');
    const { child, ended } = probe().run(cgroup, 'echo; exec sleep 1000');
    await waitFor(async () => (await probe().get('figures')).processCount === 1);
    expect((await probe().stats('figures')).pids?.currentCount).toBeGreaterThan(0);
    child.kill('SIGKILL');
    await ended;
    await probe().remove(cgroup.id);
    const { cpu, pids } = await probe().stats('figures');
    expect(cpu!.usageDuration!.nanos).toBeGreaterThan(0);
    expect(pids?.currentCount).toBe(0);
    await probe().delete('figures');
  });
}
