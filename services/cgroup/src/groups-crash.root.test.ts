import {
  requires,
  startService,
  tempDir,
  type RunningTestService,
  type TempDir,
  waitFor,
} from '@teu/testing';
import { existsSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CGROUP_FAILPOINTS } from './failpoints.js';
import { instanceOf } from './server.js';
import { directoriesOf, GroupsProbe } from './testing/suite/groups/groups-probe.js';
import { groupsBelow } from './tree/group-processes.js';

// The service is killed at every step of every change of a group; the next start finds each group wholly there or
// wholly gone, in its rows and in the kernel.
describe.runIf(requires('root'))('groups of a service that ends', () => {
  let directory: TempDir;
  let service: RunningTestService;
  let probe: GroupsProbe;

  const start = async (failpoint = ''): Promise<void> => {
    const [runDir, dataDir] = [join(directory.path, 'r'), join(directory.path, 'd')];
    const env = { TEU_FAILPOINTS: failpoint, TEU_NATS_URL: 'nats://127.0.0.1:9' };
    service = await startService('cgroup', { runDir, dataDir, env });
    const { channel } = service;
    const groupPath = `teu/${instanceOf(dataDir)}`;
    probe = new GroupsProbe({ channel, groupPath, close: () => service.stop() });
  };
  /** The engine's own directory in every hierarchy, learnt from a container. */
  let roots: string[];
  const kernelHas = (key: string): boolean[] => roots.map((root) => existsSync(join(root, key)));
  const taskLimit = (key: string): string => {
    const files = roots
      .map((root) => join(root, key, 'pids.max'))
      .filter((path) => existsSync(path));
    return readFileSync(files[0]!, 'utf8').trim();
  };

  /** Starts the service with one group in it. */
  const begin = async (failpoint = ''): Promise<void> => {
    await start(failpoint);
    await probe.create('old', { pids: { limit: 50 } });
    const cgroup = await probe.container('old');
    roots = directoriesOf(cgroup).map((path) => dirname(dirname(path)));
    await probe.remove(cgroup.id);
  };
  beforeEach(() => {
    directory = tempDir();
  });
  afterEach(async () => {
    for (const name of await probe.names()) {
      if (!name.includes('/')) await probe.delete(name, true);
    }
    await service.stop();
    expect(roots.filter((root) => existsSync(root))).toEqual([]);
    directory.remove();
  });

  const changes: Record<string, () => Promise<unknown>> = {
    create: () => probe.create('new', { pids: { limit: 7 } }),
    update: () => probe.update('old', { pids: { limit: 60 } }),
    delete: () => probe.delete('goes', true),
  };

  it.each(CGROUP_FAILPOINTS.filter((name) => name.startsWith('cgroup.group-')))(
    'at %s',
    async (failpoint) => {
      // Three groups are made before it comes to that.
      await begin(`${failpoint}=kill@${failpoint.includes('create') ? 4 : 1}`);
      await probe.create('goes');
      await probe.create('goes/inner');
      const { id } = await probe.container('old');
      await expect(changes[/group-([a-z]+)/.exec(failpoint)![1]!]!()).rejects.toThrow();
      expect(await service.exited).toMatchObject({ signal: 'SIGKILL' });
      await start();
      const names = await probe.names();
      for (const [name, key] of [
        ['old', 'g.old'],
        ['new', 'g.new'],
        ['goes', 'g.goes'],
        ['goes/inner', 'g.goes/g.inner'],
      ] as const) {
        expect(kernelHas(key), name).toEqual(roots.map(() => names.includes(name)));
      }
      const limit = (await probe.get('old')).resources?.pids?.limit;
      expect(taskLimit('g.old')).toBe(String(limit));
      expect(limit).toBe(failpoint === 'cgroup.group-update.after-record' ? 60 : 50);
      expect(names.includes('new')).toBe(failpoint === 'cgroup.group-create.after-record');
      if (names.includes('new')) expect(taskLimit('g.new')).toBe('7');
      expect(names.includes('goes')).toBe(!failpoint.startsWith('cgroup.group-delete.'));
      // What was in a group is still found, and what was asked for can be asked for again.
      expect((await probe.cgroup(id)).group).toBe('old');
      await probe.create('new', { pids: { limit: 7 } });
      await probe.remove(id);
    },
  );

  it('by a restart keeps what runs in them', async () => {
    await begin();
    const cgroup = await probe.container('old', { pids: { limit: 5 } });
    const { child, ended } = probe.run(cgroup, 'exec sleep 1000');
    await waitFor(async () => (await probe.cgroup(cgroup.id)).processCount === 1);
    await probe.freeze('old');
    await service.stop();
    await start();
    expect(await probe.cgroup(cgroup.id)).toMatchObject({ group: 'old', frozen: true });
    expect(await probe.get('old')).toMatchObject({ containerCount: 1, frozen: true });
    await probe.remove(cgroup.id, true);
    expect((await ended).signal).toBe('SIGKILL');
    expect(child.killed).toBe(false);
    await probe.thaw('old');
  });

  it('by a restart of the host makes them again', async () => {
    await begin();
    await probe.create('old/inner', { memory: { limit: 64 << 20, swap: -1 } }, { who: 'me' });
    const before = await probe.get('old/inner');
    service.kill('SIGKILL');
    await service.exited;
    for (const path of roots.flatMap((root) => groupsBelow(root))) rmdirSync(path);
    await start();
    expect(await probe.get('old/inner')).toEqual(before);
    expect(taskLimit('g.old')).toBe('50');
    expect(kernelHas('g.old/g.inner')).toEqual(roots.map(() => true));
    const { id } = await probe.container('old/inner');
    await probe.remove(id);
  });
});
