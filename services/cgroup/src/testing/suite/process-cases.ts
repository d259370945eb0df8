import type { Cgroup } from '@teu/proto/cgroup';
import { waitFor } from '@teu/testing';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FORK_BOMB, STORM } from '../fork-scripts.js';
import { runInGroup } from '../run-in-group.js';
import type { GroupProbe } from './group-probe.js';

/** A freezer that asks once fails in one of sixty. */
const ROUNDS = 150;

/** Forking, freezing and killing. */
export function describeProcesses(probe: () => GroupProbe): void {
  it('stops a fork bomb and kills it whole', async () => {
    const cgroup = await probe().create({ pids: { limit: 60 } });
    const { ended } = probe().run(cgroup, FORK_BOMB);
    await waitFor(async () => (await probe().stats(cgroup.id)).pids!.limitHitCount > 0);
    // A fork that fails is counted for a moment.
    await waitFor(async () => (await probe().stats(cgroup.id)).pids!.currentCount <= 60);
    await probe().kill(cgroup.id);
    expect((await ended).signal).toBe('SIGKILL');
    expect((await probe().get(cgroup.id)).processCount).toBe(0);
    expect((await probe().remove(cgroup.id))!.pids!.limitHitCount).toBeGreaterThan(0);
  });

  it('freezes, again and again, shells that start one program after the other', async () => {
    const cgroup = await probe().create();
    const loop = 'while :; do sleep 0.01; done';
    const running = probe().run(cgroup, `(${loop}) & ${loop}`);
    await waitFor(async () => (await probe().get(cgroup.id)).processCount > 2);
    for (let round = 0; round < ROUNDS; round += 1) {
      await probe().freeze(cgroup.id);
      await probe().thaw(cgroup.id);
    }
    await probe().kill(cgroup.id);
    await running.ended;
  });

  it('freezes, and kills what is frozen, also what the container froze itself', async () => {
    const cgroup = await probe().create();
    const [inner, freezing] = innerGroup(probe(), cgroup);
    const loop = 'while :; do sleep 0.01; done';
    const outside = probe().run(cgroup, loop);
    const inside = runInGroup(cgroup.membership!, `echo 0 > ${inner}/cgroup.procs; ${loop}`);
    await waitFor(() => readFileSync(`${inner}/cgroup.procs`, 'utf8') !== '');
    writeFileSync(`${inner}/${freezing.file}`, freezing.text);
    await probe().freeze(cgroup.id);
    expect((await probe().get(cgroup.id)).frozen).toBe(true);
    await probe().thaw(cgroup.id);
    expect((await probe().get(cgroup.id)).frozen).toBe(false);
    await probe().freeze(cgroup.id);
    await probe().kill(cgroup.id);
    expect((await outside.ended).signal).toBe('SIGKILL');
    expect((await inside.ended).signal).toBe('SIGKILL');
    expect((await probe().get(cgroup.id)).processCount).toBe(0);
  });

  it('kills trees that fork and part from their parents, again and again', async () => {
    for (let round = 0; round < 5; round += 1) {
      const cgroup = await probe().create({ pids: { limit: 40 + 30 * round } });
      const { ended } = probe().run(cgroup, STORM);
      await waitFor(async () => (await probe().get(cgroup.id)).processCount > 5);
      // How many there are at that moment is the storm's affair: they live for milliseconds each.
      expect(await probe().kill(cgroup.id)).toBeGreaterThan(0);
      await ended;
      expect((await probe().get(cgroup.id)).processCount).toBe(0);
      await probe().remove(cgroup.id);
    }
  });
}

/** Makes a group in that of a container, as the container could, where processes are frozen. */
function innerGroup(probe: GroupProbe, cgroup: Cgroup): [string, { file: string; text: string }] {
  const { v2Directory } = cgroup.membership!;
  const onV1 = probe.has('freezer');
  const path = `${onV1 ? probe.directory(cgroup, 'freezer') : v2Directory}/inner`;
  mkdirSync(path);
  return [
    path,
    onV1 ? { file: 'freezer.state', text: 'FROZEN' } : { file: 'cgroup.freeze', text: '1' },
  ];
}
