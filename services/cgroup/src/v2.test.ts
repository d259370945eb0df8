import { HierarchyMode } from '@teu/proto/cgroup';
import { LinuxResources } from '@teu/proto/type';
import { tempDir, type TempDir } from '@teu/testing';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type * as FileSystem from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CgroupHost } from './domain/host.js';
import { CgroupTree } from './tree/cgroup-tree.js';
import { createGroup } from './tree/create-group.js';
import { deleteGroup } from './tree/delete-group.js';
import { describeGroup } from './tree/describe-group.js';
import { freezeGroup, isFrozen, thawGroup } from './tree/freeze-group.js';
import { readStats } from './tree/group-stats.js';
import { killGroup } from './tree/kill-group.js';
import { updateGroup } from './tree/update-group.js';

/** What the kernel puts into a new group of version 2. */
const NEW_GROUP: Readonly<Record<string, string>> = {
  'cgroup.procs': '',
  'cgroup.subtree_control': '',
  'cgroup.freeze': '0\n',
  'cgroup.kill': '',
  'cgroup.events': 'populated 0\nfrozen 0\n',
  'cpu.weight': '100\n',
  'cpu.max': 'max 100000\n',
  'cpu.max.burst': '0\n',
  'cpu.stat': 'usage_usec 0\n',
  'memory.max': 'max\n',
  'memory.swap.max': 'max\n',
  'memory.low': '0\n',
  'memory.high': 'max\n',
  'memory.current': '4096\n',
  'pids.max': 'max\n',
  'pids.current': '0\n',
};

// A plain directory that behaves like the kernel's: new groups have files, and go with them.
vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof FileSystem>();
  return {
    ...real,
    mkdirSync: (path: string, options: unknown) => {
      real.mkdirSync(path, options as number);
      if (!path.includes('/fake/')) return;
      for (const [name, text] of Object.entries(NEW_GROUP)) {
        real.writeFileSync(join(path, name), text);
      }
    },
    rmdirSync: (path: string) => {
      real.rmSync(path, { recursive: true });
    },
  };
});

const ID = 'a'.repeat(64);

const resources = (wanted: Parameters<typeof LinuxResources.fromPartial>[0]) =>
  LinuxResources.fromPartial(wanted);

describe('cgroups of version 2', () => {
  let directory: TempDir;
  let tree: CgroupTree;

  beforeEach(async () => {
    directory = tempDir();
    const mountPath = join(directory.path, 'fake');
    const { mkdirSync } = await vi.importActual<typeof FileSystem>('node:fs');
    mkdirSync(mountPath);
    writeFileSync(join(mountPath, 'cgroup.subtree_control'), 'cpuset memory');
    const host: CgroupHost = {
      mode: HierarchyMode.HIERARCHY_MODE_V2,
      hierarchies: [
        { version: 2, mountPath, controllers: ['cpu', 'memory', 'pids'], mountData: '' },
      ],
    };
    tree = new CgroupTree(host, 'instance');
  });
  afterEach(() => directory.remove());

  const file = (name: string): string => join(tree.processGroup(ID), name);
  const read = (name: string): string => readFileSync(file(name), 'utf8').trim();

  it('passes on the controllers that its parents do not pass on yet, and no others', () => {
    const root = dirname(dirname(dirname(tree.processGroup(ID))));
    const control = (path: string): string =>
      readFileSync(join(path, 'cgroup.subtree_control'), 'utf8');
    expect(control(root)).toMatch(/^\+cpu \+pids/);
    expect(control(join(root, 'teu'))).toBe('+cpu +memory +pids');
    expect(control(join(root, 'teu/instance'))).toBe('+cpu +memory +pids');
  });

  it('writes the limits in the words of version 2', () => {
    const limits = createGroup(
      tree,
      ID,
      resources({
        cpu: { shares: 512, quota: 50_000 },
        memory: { limit: 1 << 26 },
        pids: { limit: 9 },
      }),
    );
    expect(read('cpu.weight')).toMatch(/^59/);
    expect(read('cpu.max')).toBe('50000 100000');
    expect(read('memory.max')).toMatch(/^67108864/);
    expect(read('memory.swap.max')).toMatch(/^67108864/);
    expect(read('pids.max')).toMatch(/^9/);
    expect(limits).toMatchObject({ memory: { limit: 1 << 26, swap: 1 << 27 } });
    expect(tree.membership(ID)).toEqual({
      v1TasksPaths: [],
      v2Directory: tree.processGroup(ID),
      mounts: [{ name: '', type: 'cgroup2', data: '' }],
    });
  });

  it('refuses the same group with other limits, and finishes one without limits', () => {
    const limited = resources({ cpu: { quota: 50_000 } });
    createGroup(tree, ID);
    expect(createGroup(tree, ID, limited).cpu?.quota).toBe(50_000);
    expect(createGroup(tree, ID, limited).cpu?.quota).toBe(50_000);
    expect(() => createGroup(tree, ID)).toThrow(/exists already/);
  });

  it('does without a limit of swap where the host counts none, unless it was asked for', () => {
    rmSync(join(dirname(tree.processGroup(ID)), 'memory.swap.max'));
    const plain = new CgroupTree(tree.host, 'instance');
    const asked = resources({ memory: { limit: 1 << 26, swap: 1 << 27 } });
    expect(() => createGroup(plain, ID, asked)).toThrow(
      expect.objectContaining({
        reason: 'RESOURCE_UNSUPPORTED',
        metadata: { field: 'resources.memory.swap' },
      }),
    );
    expect(plain.ids()).toEqual([]);
    const unlimited = resources({ memory: { limit: 1 << 26, swap: -1 } });
    expect(createGroup(plain, ID, unlimited).memory?.limit).toBe(1 << 26);
    expect(read('memory.swap.max')).toBe('max');
  });

  it('changes limits', async () => {
    createGroup(tree, ID, resources({ cpu: { quota: 50_000 } }));
    await updateGroup(tree, ID, resources({ cpu: { period: 200_000 } }));
    expect(describeGroup(tree, ID).resources).toEqual(
      resources({ cpu: { quota: 50_000, period: 200_000 } }),
    );
  });

  it('freezes by cgroup.freeze and waits for the event', async () => {
    createGroup(tree, ID);
    const freezing = freezeGroup(tree, ID);
    expect(read('cgroup.freeze')).toMatch(/^1/);
    expect(isFrozen(tree, ID)).toBe(false);
    writeFileSync(file('cgroup.events'), 'populated 1\nfrozen 1\n');
    await freezing;
    expect(describeGroup(tree, ID).frozen).toBe(true);
    thawGroup(tree, ID);
    expect(read('cgroup.freeze')).toMatch(/^0/);
  });

  it('kills by cgroup.kill', async () => {
    createGroup(tree, ID);
    writeFileSync(file('cgroup.procs'), '999999\n');
    const killing = killGroup(tree, ID);
    expect(read('cgroup.kill')).toBe('1');
    writeFileSync(file('cgroup.procs'), '');
    expect(await killing).toBe(1);
  });

  it('deletes and gives the last figures', async () => {
    createGroup(tree, ID);
    const stats = await deleteGroup(tree, ID, false, () => readStats(tree, ID));
    expect(stats.memory?.usageBytes).toBe(4096);
    expect(stats.io).toBeUndefined();
    expect(tree.ids()).toEqual([]);
  });
});
