import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { newContainerId } from '@teu/ids';
import type { Cgroup } from '@teu/proto/cgroup';
import { describe, expect, it } from 'vitest';
import type { GroupsProbe } from './groups-probe.js';

/** What containers have from the group that they are in. */
export function describeInherited(probe: () => GroupsProbe): void {
  // With one processor there is none to choose.
  describe.runIf(availableParallelism() > 1)('processors of a group', () => {
    it('bound those of its containers, which say only what is their own', async () => {
      await probe().create('bound', { cpu: { cpus: '0' } });
      await expect(probe().container('bound', { cpu: { cpus: '1' } })).rejects.toMatchObject({
        message: 'resources.cpu.cpus is 1; there are 0 here',
      });
      await expect(probe().create('bound/in', { cpu: { cpus: '1' } })).rejects.toMatchObject({
        reason: 'INVALID_ARGUMENT',
      });
      const id = newContainerId();
      const made = await probe().container('bound', { cpu: { cpus: '0' } }, id);
      expect((await probe().cgroup(id)).resources).toEqual(made.resources);
      const again = await probe().container('bound', { cpu: { cpus: '0' } }, id);
      expect(again.resources).toEqual(made.resources);
      await probe().remove(id);
      await probe().delete('bound');
    });

    it('change for what runs in it', async () => {
      await probe().create('turn', { cpu: { cpus: '0' } });
      await probe().create('turn/inner');
      const [outer, inner] = await Promise.all([
        probe().container('turn'),
        probe().container('turn/inner'),
      ]);
      const running = [outer, inner].map((cgroup) => probe().run(cgroup, 'echo; exec sleep 1000'));
      await Promise.all(
        running.map(({ child }) => new Promise((resolve) => child.stdout!.once('data', resolve))),
      );
      const allowed = (): string[] => running.map(({ child }) => processorsOf(child.pid!));
      expect(allowed()).toEqual(['0', '0']);
      for (const cpus of ['0-1', '1', '0', '0-1', '0']) {
        await probe().update('turn', { cpu: { cpus } });
        expect(allowed()).toEqual([cpus, cpus]);
        for (const { id } of [outer, inner]) {
          expect((await probe().cgroup(id)).resources?.cpu).toBeUndefined();
        }
        expect((await probe().get('turn/inner')).resources?.cpu).toBeUndefined();
      }
      await probe().kill('turn');
      await Promise.all(running.map(({ ended }) => ended));
      for (const { id } of [outer, inner]) await probe().remove(id);
      await probe().delete('turn', true);
    });

    it('do not change if a container in it has others of its own', async () => {
      await probe().create('kept');
      const plain = await probe().container('kept');
      const own = await probe().container('kept', { cpu: { cpus: '1' } });
      // Version 2 lets a group have less than what is in it asks for.
      const isHeld = (await probe().versionOf('cpuset')) === 1;
      const update = probe().update('kept', { cpu: { cpus: '0' } });
      if (isHeld) await expect(update).rejects.toMatchObject({ reason: 'INVALID_STATE' });
      const { resources } = await (isHeld ? probe().get('kept') : update);
      expect(resources?.cpu?.cpus).toBe(isHeld ? undefined : '0');
      expect((await probe().cgroup(plain.id)).resources?.cpu).toBeUndefined();
      expect((await probe().cgroup(own.id)).resources?.cpu?.cpus).toBe('1');
      for (const { id } of [plain, own]) await probe().remove(id);
      await probe().delete('kept');
    });
  });

  it('copies what memory does at its limit into containers, and changes it there', async () => {
    if ((await probe().versionOf('memory')) === 2) return expectNothingToCopy(probe());
    await probe().create('copies', { memory: { swappiness: 10, disableOomKiller: true } });
    const id = newContainerId();
    const plain = await probe().container('copies', {}, id);
    const copied = { swappiness: 10, disableOomKiller: true };
    expect(plain.resources?.memory).toMatchObject(copied);
    expect((await probe().container('copies', {}, id)).resources).toEqual(plain.resources);
    const own = await probe().container('copies', {
      memory: { swappiness: 20, disableOomKiller: false },
    });
    const memoryOf = async ({ id }: Cgroup) => (await probe().cgroup(id)).resources?.memory;
    expect(await memoryOf(plain)).toMatchObject(copied);
    expect(await memoryOf(own)).toEqual({ ...own.resources?.memory, swappiness: 20 });
    // Of something else.
    await probe().replace(plain.id, { pids: { limit: 10 } });
    expect(await memoryOf(plain)).toMatchObject(copied);
    await probe().update('copies', { memory: { swappiness: 30, disableOomKiller: false } });
    expect(await memoryOf(plain)).toMatchObject({ swappiness: 30, disableOomKiller: undefined });
    expect(await memoryOf(own)).toMatchObject({ swappiness: 20 });
    for (const each of [plain, own]) await probe().remove(each.id);
    await probe().delete('copies');
  });
}

/** Version 2 has nothing that a group would have to copy: whoever asks for it is refused, and no group is left. */
async function expectNothingToCopy(probe: GroupsProbe): Promise<void> {
  const wanted = [
    ['resources.memory.swappiness', { swappiness: 10 }],
    ['resources.memory.disable_oom_killer', { disableOomKiller: true }],
  ] as const;
  for (const [field, memory] of wanted) {
    await expect(probe.create('copies', { memory })).rejects.toMatchObject({
      reason: 'RESOURCE_UNSUPPORTED',
      metadata: { field },
    });
    await expect(probe.get('copies')).rejects.toMatchObject({ reason: 'GROUP_NOT_FOUND' });
  }
}

function processorsOf(pid: number): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return /^Cpus_allowed_list:\t(.*)$/m.exec(status)?.[1] ?? '';
}
