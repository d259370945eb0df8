import { waitFor } from '@teu/testing';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FORK_BOMB } from '../../fork-scripts.js';
import { runInGroup } from '../../run-in-group.js';
import { directoriesOf, type GroupsProbe } from './groups-probe.js';

/** A program that says something again and again. */
const TICK = 'while :; do echo; sleep 0.01; done';

/** Freezing and killing of groups, against programs that do not want it. */
export function describeForce(probe: () => GroupsProbe): void {
  it('kills a fork bomb in two containers whole', async () => {
    await probe().create('bombs', { pids: { limit: 200 } });
    const cgroups = [await probe().container('bombs'), await probe().container('bombs')];
    const running = cgroups.map((cgroup) => probe().run(cgroup, FORK_BOMB));
    await waitFor(async () => (await probe().stats('bombs')).pids!.currentCount === 200);
    expect(await probe().kill('bombs')).toBeGreaterThan(100);
    for (const { ended } of running) expect((await ended).signal).toBe('SIGKILL');
    expect((await probe().get('bombs')).processCount).toBe(0);
    for (const { id } of cgroups) await probe().remove(id);
    await probe().delete('bombs');
  });

  it('freezes all in a group and lets go what was not frozen by itself', async () => {
    await probe().create('still');
    const cgroups = [await probe().container('still'), await probe().container('still')];
    const ticks = [0, 0];
    const running = cgroups.map((cgroup, index) => {
      const started = probe().run(cgroup, TICK);
      started.child.stdout!.on('data', () => (ticks[index]! += 1));
      return started;
    });
    await waitFor(() => ticks.every((count) => count > 0));
    await probe().freezeContainer(cgroups[0]!.id);
    await probe().freeze('still');
    expect((await probe().get('still')).frozen).toBe(true);
    expect((await probe().cgroup(cgroups[1]!.id)).frozen).toBe(true);
    const begin = probe().container('still');
    await expect(begin).rejects.toMatchObject({ reason: 'INVALID_STATE' });
    await probe().thaw('still');
    const before = [...ticks];
    await waitFor(() => ticks[1]! > before[1]! + 2);
    expect((await probe().cgroup(cgroups[0]!.id)).frozen).toBe(true);
    expect((await probe().get('still')).frozen).toBe(false);
    expect(await probe().kill('still')).toBeGreaterThan(1);
    for (const { ended } of running) expect((await ended).signal).toBe('SIGKILL');
    for (const { id } of cgroups) await probe().remove(id);
    await probe().delete('still');
  });

  it('kills one container of a frozen group, and leaves the others frozen', async () => {
    await probe().create('ice');
    await probe().create('ice/inner');
    const [one, other] = [await probe().container('ice/inner'), await probe().container('ice')];
    const running = [one, other].map((cgroup) => probe().run(cgroup, TICK));
    await waitFor(async () => (await probe().get('ice')).processCount >= 2);
    await probe().freeze('ice');
    await probe().killContainer(one.id);
    expect((await running[0]!.ended).signal).toBe('SIGKILL');
    expect((await probe().cgroup(other.id)).frozen).toBe(true);
    await probe().remove(one.id);
    await probe().remove(other.id, true);
    expect((await running[1]!.ended).signal).toBe('SIGKILL');
    expect(await probe().get('ice')).toMatchObject({ frozen: true, processCount: 0 });
    await probe().thaw('ice');
    await probe().delete('ice', true);
  });

  it('kills what froze itself, wherever it did, and what was put into a group of its own', async () => {
    await probe().create('self');
    const cgroup = await probe().container('self');
    const places = directoriesOf(cgroup);
    const running = places.map((path) => {
      mkdirSync(`${path}/own`);
      return probe().run(cgroup, `echo 0 > ${path}/own/cgroup.procs; ${TICK}`);
    });
    await waitFor(() =>
      places.every((path) => readFileSync(`${path}/own/cgroup.procs`, 'utf8') !== ''),
    );
    for (const path of places) freezeIn(`${path}/own`);
    expect(await probe().kill('self')).toBeGreaterThanOrEqual(places.length);
    for (const { ended } of running) expect((await ended).signal).toBe('SIGKILL');
    await probe().remove(cgroup.id);
    await probe().delete('self');
  });

  it('kills what has joined only the last of the hierarchies', async () => {
    await probe().create('halfway');
    const cgroup = await probe().container('halfway');
    const { v1TasksPaths, mounts } = cgroup.membership!;
    const last = v1TasksPaths.filter((path) => path.includes('/freezer/'));
    const membership =
      last.length === 0 ? cgroup.membership! : { v1TasksPaths: last, v2Directory: '', mounts };
    const { child, ended } = runInGroup(membership, TICK);
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    await probe().freeze('halfway');
    expect(await probe().kill('halfway')).toBeGreaterThan(0);
    expect((await ended).signal).toBe('SIGKILL');
    await probe().remove(cgroup.id);
    await probe().delete('halfway');
  });

  it('removes groups that a container makes while it is killed', async () => {
    await probe().create('maker');
    const cgroup = await probe().container('maker');
    const [path] = directoriesOf(cgroup).slice(-1);
    const make = `i=0; while mkdir -p ${path}/own$i/deep; do i=$((i+1)); [ $i -gt 300 ] && sleep 1000; done`;
    const { ended } = probe().run(cgroup, make);
    await waitFor(() => readFileSync(`${path}/cgroup.procs`, 'utf8') !== '');
    await probe().remove(cgroup.id, true);
    expect((await ended).signal).toBe('SIGKILL');
    await probe().delete('maker');
  });
}

/** Freezes a group where its hierarchy can. */
function freezeIn(path: string): void {
  for (const [file, text] of [
    ['freezer.state', 'FROZEN'],
    ['cgroup.freeze', '1'],
  ] as const) {
    try {
      writeFileSync(`${path}/${file}`, text, { flag: 'r+' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
