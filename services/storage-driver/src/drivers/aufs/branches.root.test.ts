import {
  type Branch,
  BranchOrigin,
  BranchPermission,
  BranchServiceService,
  DriverServiceService,
} from '@teu/proto/storage';
import { requires } from '@teu/testing';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AufsStand } from './testing/aufs-stand.js';

const { BRANCH_PERMISSION_READ_ONLY: RO, BRANCH_PERMISSION_READ_ONLY_WHITEOUTS: WH } =
  BranchPermission;
const { addBranch, listBranches, removeBranch, setBranchPermission } = BranchServiceService;

describe.runIf(requires('root', 'fuse'))('branches of aufs', { timeout: 60_000 }, () => {
  let stand: AufsStand;
  beforeEach(async () => {
    stand = new AufsStand();
    await stand.start();
    await stand.commit('base', '', (root) => {
      for (const name of ['low', 'shadowed', 'hidden']) writeFileSync(join(root, name), 'base');
    });
    await stand.commit('tools', '', (root) => {
      for (const name of ['tool', 'shadowed']) writeFileSync(join(root, name), 'tools');
    });
    await stand.commit('mask', 'base', (root) => rmSync(join(root, 'hidden')));
    await stand.snapshots.prepare('a', 'base');
  });
  afterEach(() => stand.remove());

  const add = (branch: string, index: number, permission: BranchPermission = WH) =>
    stand.channel.unary(addBranch, { key: 'a', index, branch, permission });
  const list = async (): Promise<string[]> => {
    const { branches } = await stand.channel.unary(listBranches, { key: 'a' });
    return branches.map(wordOf);
  };
  const read = (root: string, name: string): string => readFileSync(join(root, name), 'utf8');

  it('are those of the parents, and the own one', async () => {
    expect(await list()).toEqual(['a rw own', 'base ro+wh parent']);
    await stand.snapshots.prepare('deep', 'mask');
    const { branches } = await stand.channel.unary(listBranches, { key: 'deep' });
    expect(branches.map(wordOf)).toEqual(['deep rw own', 'mask ro+wh parent', 'base ro+wh parent']);
  });

  it('are added and removed while it is mounted', async () => {
    const root = await stand.mount('a');
    expect(existsSync(join(root, 'tool'))).toBe(false);
    expect(read(root, 'shadowed')).toBe('base');
    expect(await add('tools', 1)).toEqual({ isLive: true });
    expect(read(root, 'tool')).toBe('tools');
    expect(read(root, 'shadowed')).toBe('tools');
    expect(await list()).toEqual(['a rw own', 'tools ro+wh added', 'base ro+wh parent']);
    // What is written goes into the own branch, wherever it came from.
    writeFileSync(join(root, 'tool'), 'own', { flag: 'a' });
    const removal = await stand.channel.unary(removeBranch, { key: 'a', branch: 'tools' });
    expect(removal).toEqual({ isLive: true });
    expect(read(root, 'tool')).toBe('toolsown');
    expect(read(root, 'shadowed')).toBe('base');
    expect(await list()).toEqual(['a rw own', 'base ro+wh parent']);
    await stand.unmount(root);
  });

  it('are looked at in their order', async () => {
    await add('tools', 2);
    const root = await stand.mount('a');
    expect(read(root, 'shadowed')).toBe('base');
    expect(read(root, 'tool')).toBe('tools');
    await stand.unmount(root);
  });

  it('hide what is below by whiteouts only if they may', async () => {
    const root = await stand.mount('a');
    await add('mask', 1, RO);
    expect(existsSync(join(root, 'hidden'))).toBe(true);
    expect(await list()).toEqual(['a rw own', 'mask ro added', 'base ro+wh parent']);
    const change = { key: 'a', branch: 'mask', permission: WH };
    expect(await stand.channel.unary(setBranchPermission, change)).toEqual({ isLive: true });
    expect(existsSync(join(root, 'hidden'))).toBe(false);
    expect(readdirSync(root).sort()).toEqual(['low', 'shadowed']);
    await stand.channel.unary(setBranchPermission, { ...change, permission: RO });
    expect(existsSync(join(root, 'hidden'))).toBe(true);
    await stand.unmount(root);
  });

  it('stay over a restart of the service, a reboot and another parent', async () => {
    await add('tools', 2);
    await stand.stop();
    await stand.start();
    expect(await list()).toEqual(['a rw own', 'base ro+wh parent', 'tools ro+wh added']);
    const request = { key: 'a', parent: 'mask', expectedParent: '' };
    await stand.channel.unary(DriverServiceService.setParent, request);
    // The lowest stays the lowest.
    const wanted = ['a rw own', 'mask ro+wh parent', 'base ro+wh parent', 'tools ro+wh added'];
    expect(await list()).toEqual(wanted);
    const root = await stand.mount('a');
    expect(readdirSync(root).sort()).toEqual(['low', 'shadowed', 'tool']);
    await stand.unmount(root);
  });

  it('are kept as long as they are used', async () => {
    await add('tools', 1);
    await expect(stand.snapshots.remove('tools')).rejects.toMatchObject({
      reason: 'SNAPSHOT_IN_USE',
    });
    await expect(stand.snapshots.commit('c', 'a')).rejects.toMatchObject({
      reason: 'INVALID_STATE',
    });
    const merge = { key: 'a', expectedParent: 'base' };
    const merging = stand.channel.unary(DriverServiceService.mergeIntoParent, merge);
    await expect(merging).rejects.toMatchObject({ reason: 'INVALID_STATE' });
    await stand.snapshots.remove('a');
    await stand.snapshots.remove('tools');
  });

  it('are refused where they cannot be', async () => {
    const refused = async (call: Promise<unknown>, reason: string) => {
      await expect(call).rejects.toMatchObject({ reason });
    };
    await stand.snapshots.prepare('alone');
    await refused(add('none', 1), 'SNAPSHOT_NOT_FOUND');
    await refused(add('alone', 1), 'SNAPSHOT_NOT_COMMITTED');
    await refused(add('base', 1), 'CONFLICT');
    await refused(add('tools', 0), 'INVALID_ARGUMENT');
    await refused(add('tools', 3), 'INVALID_ARGUMENT');
    await refused(
      add('tools', 1, BranchPermission.BRANCH_PERMISSION_READ_WRITE),
      'INVALID_ARGUMENT',
    );
    const onNothing = { key: 'alone', index: 1, branch: 'tools', permission: WH };
    await refused(stand.channel.unary(addBranch, onNothing), 'INVALID_STATE');
    await refused(stand.channel.unary(listBranches, { key: 'base' }), 'INVALID_STATE');
    const remove = (branch: string) => stand.channel.unary(removeBranch, { key: 'a', branch });
    await refused(remove('tools'), 'NOT_FOUND');
    await refused(remove('base'), 'INVALID_STATE');
    await add('tools', 1);
    await refused(add('tools', 1), 'CONFLICT');
    const onto = { key: 'a', parent: 'tools', expectedParent: '' };
    await refused(stand.channel.unary(DriverServiceService.setParent, onto), 'CONFLICT');
    expect(await list()).toEqual(['a rw own', 'tools ro+wh added', 'base ro+wh parent']);
  });
});

const PERMISSIONS: Readonly<Partial<Record<BranchPermission, string>>> = {
  [BranchPermission.BRANCH_PERMISSION_READ_WRITE]: 'rw',
  [RO]: 'ro',
  [WH]: 'ro+wh',
};
const ORIGINS: Readonly<Partial<Record<BranchOrigin, string>>> = {
  [BranchOrigin.BRANCH_ORIGIN_OWN]: 'own',
  [BranchOrigin.BRANCH_ORIGIN_PARENT]: 'parent',
  [BranchOrigin.BRANCH_ORIGIN_ADDED]: 'added',
};

function wordOf({ snapshot, permission, origin }: Branch): string {
  return `${snapshot} ${PERMISSIONS[permission] ?? ''} ${ORIGINS[origin] ?? ''}`;
}
