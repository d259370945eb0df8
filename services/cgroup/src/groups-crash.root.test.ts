import { LinuxResources } from '@teu/proto/type';
import { openStore } from '@teu/state';
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
import { createGroupTable } from './store/group-table.js';
import { CGROUP_MIGRATIONS } from './store/schema.js';
import type { Wanted } from './testing/suite/group-probe.js';
import { directoriesOf, GroupsProbe } from './testing/suite/groups/groups-probe.js';
import { groupsBelow } from './tree/group-processes.js';

/** A limit on a device that no host has. */
const GONE = { path: '', major: 4000, minor: 1, rate: 1 << 20 };

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
    try {
      for (const name of await probe.names()) {
        if (!name.includes('/')) await probe.delete(name, true);
      }
    } finally {
      await service.stop();
      directory.remove();
    }
    expect(roots.filter((root) => existsSync(root))).toEqual([]);
  });

  const end = async (): Promise<void> => {
    service.kill('SIGKILL');
    await service.exited;
  };
  /** Gives a group other limits in its row; the service does not run. */
  const recordLimits = (name: string, wanted: Wanted): void => {
    const path = join(directory.path, 'd/cgroup/state.db');
    const store = openStore({ path, migrations: CGROUP_MIGRATIONS, role: 'cgroup' });
    createGroupTable(store).setResources(name, LinuxResources.fromPartial(wanted));
    store.close();
  };

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

  it.runIf(requires('cgroup_v1')).each<[string, string, Wanted]>([
    ['processors', 'cpuset.cpus', { cpu: { cpus: '0' } }],
    ['swappiness', 'memory.swappiness', { memory: { swappiness: 10 } }],
  ])('in a change of %s has containers as they were', async (_, file, wanted) => {
    await begin('cgroup.limits.after-copy=kill@1');
    const follower = await probe.container('old');
    const own = await probe.container('old', wanted);
    const textOf = (key: string): string =>
      roots
        .map((root) => join(root, key, file))
        .filter((path) => existsSync(path))
        .map((path) => readFileSync(path, 'utf8').trim())
        .join();
    const keys = ['g.old', `g.old/${follower.id}`, `g.old/${own.id}`];
    const before = keys.map(textOf);
    await expect(probe.update('old', wanted)).rejects.toThrow();
    expect(await service.exited).toMatchObject({ signal: 'SIGKILL' });
    expect(keys.map(textOf)).not.toEqual(before);
    await start();
    expect(keys.map(textOf)).toEqual(before);
    for (const { id } of [follower, own]) await probe.remove(id);
  });

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
    await end();
    for (const path of roots.flatMap((root) => groupsBelow(root))) rmdirSync(path);
    await start();
    expect(await probe.get('old/inner')).toEqual(before);
    expect(taskLimit('g.old')).toBe('50');
    expect(kernelHas('g.old/g.inner')).toEqual(roots.map(() => true));
    const { id } = await probe.container('old/inner');
    await probe.remove(id);
  });

  it('by a restart of the host has none of them frozen, and containers begin in them', async () => {
    await begin();
    await probe.create('old/inner');
    await probe.freeze('old');
    expect(await probe.get('old')).toMatchObject({ frozen: true });
    await expect(probe.container('old/inner')).rejects.toMatchObject({ reason: 'INVALID_STATE' });
    await end();
    for (const path of roots.flatMap((root) => groupsBelow(root))) rmdirSync(path);
    await start();
    for (const name of ['old', 'old/inner']) {
      expect(await probe.get(name)).toMatchObject({ frozen: false });
      const cgroup = await probe.container(name);
      expect(await probe.run(cgroup, 'echo runs').ended).toMatchObject({ output: 'runs\n' });
      await probe.remove(cgroup.id);
    }
  });

  it('by a restart of the host lets nobody into one whose limits cannot be set again', async () => {
    await begin();
    await probe.create('old/inner');
    await end();
    for (const path of roots.flatMap((root) => groupsBelow(root))) rmdirSync(path);
    recordLimits('old', { pids: { limit: 50 }, blockIo: { throttleReadBpsDevices: [GONE] } });
    await start();
    expect(kernelHas('g.old')).toEqual(roots.map(() => false));
    const refused = {
      reason: 'INVALID_ARGUMENT',
      message: expect.stringContaining('4000:1, which is none') as string,
    };
    for (const name of ['old', 'old/inner']) {
      await expect(probe.container(name)).rejects.toMatchObject(refused);
    }
    await expect(probe.create('old/other')).rejects.toMatchObject(refused);
    expect(kernelHas('g.old')).toEqual(roots.map(() => false));
    expect((await probe.get('old')).resources?.blockIo?.throttleReadBpsDevices).toEqual([GONE]);
    const blockIo = { throttleReadBpsDevices: [{ ...GONE, rate: 0 }] };
    expect((await probe.update('old', { blockIo })).resources).toMatchObject({
      pids: { limit: 50 },
      blockIo: undefined,
    });
    expect(taskLimit('g.old')).toBe('50');
    await probe.remove((await probe.container('old/inner')).id);
  });

  it('by a restart keeps one in force whose device has gone meanwhile', async () => {
    await begin();
    await probe.create('old/inner');
    const { id } = await probe.container('old');
    await end();
    recordLimits('old', { pids: { limit: 40 }, blockIo: { throttleReadBpsDevices: [GONE] } });
    await start();
    expect(taskLimit('g.old')).toBe('40');
    await probe.remove((await probe.container('old/inner')).id);
    await probe.remove(id);
  });

  it('by a restart tries limits again that it could not set, and kills nonetheless', async () => {
    await begin();
    const cgroup = await probe.container('old');
    const { ended } = probe.run(cgroup, 'exec sleep 1000');
    await waitFor(async () => (await probe.cgroup(cgroup.id)).processCount === 1);
    await end();
    recordLimits('old', { pids: { limit: 40 }, cpu: { cpus: '4000' } });
    await start();
    const refused = { reason: 'INVALID_ARGUMENT' };
    await expect(probe.container('old')).rejects.toMatchObject(refused);
    await expect(probe.update('old', { pids: { limit: 30 } })).rejects.toMatchObject(refused);
    expect(taskLimit('g.old')).toBe('50');
    expect(await probe.kill('old')).toBe(1);
    expect((await ended).signal).toBe('SIGKILL');
    await probe.remove(cgroup.id);
    expect((await probe.update('old', { cpu: { cpus: '0' } })).resources).toMatchObject({
      pids: { limit: 40 },
      cpu: { cpus: '0' },
    });
    expect(taskLimit('g.old')).toBe('40');
    await probe.remove((await probe.container('old')).id);
  });

  it('by a failed removal that cannot be repaired keeps it, and tells the first failure', async () => {
    await begin();
    await end();
    recordLimits('old', { blockIo: { throttleReadBpsDevices: [GONE] } });
    await start('cgroup.group-delete.after-directories=error');
    await expect(probe.delete('old')).rejects.toMatchObject({ reason: 'INTERNAL' });
    await end();
    await start();
    expect(await probe.names()).toEqual(['old']);
  });

  it('by a failed change that cannot be repaired lets nobody in, and tells the first failure', async () => {
    await begin();
    await end();
    recordLimits('old', { cpu: { cpus: '4000' } });
    await start('cgroup.group-update.after-limits=error');
    const failed = { reason: 'INTERNAL' };
    await expect(probe.update('old', { cpu: { cpus: '0' } })).rejects.toMatchObject(failed);
    await expect(probe.container('old')).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });
});
