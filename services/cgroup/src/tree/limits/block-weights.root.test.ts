import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { newContainerId } from '@teu/ids';
import { HierarchyMode } from '@teu/proto/cgroup';
import { LinuxResources } from '@teu/proto/type';
import { requires, tempDir } from '@teu/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hierarchyOf } from '../../domain/host.js';
import { detectThisHost } from '../../this-host.js';
import { CgroupTree } from '../cgroup-tree.js';
import { createGroup } from '../create-group.js';
import { deleteGroup } from '../delete-group.js';
import { updateGroup } from '../update-group.js';
import { readResources } from './group-resources.js';

const found = requires('root', 'cgroup_v1') ? detectThisHost() : undefined;
const hierarchies = ['blkio', 'pids', 'freezer'].flatMap(
  (name) => (found && hierarchyOf(found, name as 'blkio')) ?? [],
);

/** A device that BFQ schedules; undefined if the kernel cannot. */
function bfqDevice(): { path: string; major: number; minor: number } | undefined {
  const directory = tempDir();
  const file = join(directory.path, 'disk');
  writeFileSync(file, '');
  truncateSync(file, 16 << 20);
  const path = execFileSync('losetup', ['-f', '--show', file], { encoding: 'utf8' }).trim();
  const queue = `/sys/block/${basename(path)}`;
  const scheduler = `${queue}/queue/scheduler`;
  const before = /\[(\S+)\]/.exec(readFileSync(scheduler, 'utf8'))?.[1] ?? 'none';
  onTestFinished(() => {
    writeFileSync(scheduler, before);
    execFileSync('losetup', ['-d', path]);
    directory.remove();
  });
  if (!readFileSync(scheduler, 'utf8').includes('bfq')) return undefined;
  writeFileSync(scheduler, 'bfq');
  const [major = 0, minor = 0] = readFileSync(`${queue}/dev`, 'utf8').split(':').map(Number);
  return { path: '', major, minor };
}

describe.runIf(hierarchies.length === 3)('weights of block devices with BFQ', () => {
  it('outlive a change of the plain weight, also one that is undone, and can be taken away', async ({
    skip,
  }) => {
    const device = bfqDevice();
    if (device === undefined) return skip();
    const host = { mode: HierarchyMode.HIERARCHY_MODE_V1, hierarchies };
    const tree = new CgroupTree(host, `weights-${process.pid}`);
    const id = newContainerId();
    onTestFinished(async () => {
      await deleteGroup(tree, id, false, () => undefined);
      tree.removeParents();
    });
    const wanted = (blockIo: object, pids?: number) =>
      LinuxResources.fromPartial({
        blockIo,
        pids: pids === undefined ? undefined : { limit: pids },
      });
    const inForce = () => readResources(tree, id).blockIo;
    const weightDevices = [{ ...device, weight: 300 }];
    createGroup(tree, id, wanted({ weight: 200, weightDevices }));
    expect(inForce()).toMatchObject({ weight: 200, weightDevices });
    await updateGroup(tree, id, wanted({ weight: 400 }));
    expect(inForce()).toMatchObject({ weight: 400, weightDevices });
    // The number of tasks is set last.
    const update = updateGroup(tree, id, wanted({ weight: 500 }, 2 ** 50));
    await expect(update).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    expect(inForce()).toMatchObject({ weight: 400, weightDevices });
    await updateGroup(tree, id, wanted({ weightDevices: [{ ...device, weight: 0 }] }));
    expect(inForce()).toMatchObject({ weight: 400, weightDevices: [] });
  });
});
