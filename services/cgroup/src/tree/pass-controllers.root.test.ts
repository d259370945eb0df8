import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { newContainerId } from '@teu/ids';
import { HierarchyMode } from '@teu/proto/cgroup';
import { LinuxResources } from '@teu/proto/type';
import { requires } from '@teu/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keyOfGroup } from '../domain/group-path.js';
import type { Hierarchy } from '../domain/host.js';
import { detectThisHost } from '../this-host.js';
import { CgroupTree } from './cgroup-tree.js';
import { createGroup } from './create-group.js';
import { deleteGroup } from './delete-group.js';
import { readResources } from './limits/group-resources.js';
import { makeInnerGroup, passOnWhatIsNeeded } from './parent-groups.js';
import { isPassedOnByNeed } from './pass-controllers.js';

const found = requires('root', 'cgroup_v1') ? detectThisHost().hierarchies : [];
const hybrid = found.find(isPassedOnByNeed);
/** Every engine has one that it makes after the limits. */
const last = found.at(-1)!;
const LIMITED = LinuxResources.fromPartial({
  hugepageLimits: [{ pageSize: '2MB', limit: 4 << 20 }],
});

describe.runIf(hybrid !== undefined)('hugetlb in the version 2 tree of a hybrid host', () => {
  /** A group that stands for the root of the tree, so that the real one stays as it is. */
  let root: Hierarchy;
  let around: CgroupTree;
  const trees: CgroupTree[] = [];

  beforeAll(() => {
    const mode = HierarchyMode.HIERARCHY_MODE_HYBRID;
    around = new CgroupTree({ mode, hierarchies: [hybrid!, last] }, `pass-on-${process.pid}`);
    const mountPath = `${hybrid!.mountPath}/${around.groupPath}/root`;
    passOnWhatIsNeeded(hybrid!, `${around.groupPath}/root`);
    root = { ...hybrid!, mountPath };
  });
  beforeEach(() => mkdirSync(root.mountPath));
  afterEach(() => {
    for (const tree of trees.splice(0)) tree.removeParents();
    rmdirSync(root.mountPath);
  });
  afterAll(() => around.removeParents());

  const start = (instance: string): CgroupTree => {
    const host = { mode: HierarchyMode.HIERARCHY_MODE_HYBRID, hierarchies: [root, last] };
    const tree = new CgroupTree(host, `${instance}-${process.pid}`);
    trees.push(tree);
    return tree;
  };
  const passedOn = (group = ''): string =>
    readFileSync(`${root.mountPath}/${group}cgroup.subtree_control`, 'utf8').trim();
  const remove = (tree: CgroupTree, id: string) => deleteGroup(tree, id, false, () => undefined);

  it('is passed on to who asks for a limit of it, until no engine is left', async () => {
    const [tree, other] = [start('one'), start('two')];
    const [plain, limited, inside] = [newContainerId(), newContainerId(), newContainerId()];
    const group = keyOfGroup('team');
    for (const hierarchy of [root, last]) makeInnerGroup(hierarchy, tree.groupIn(hierarchy, group));
    tree.place(inside, 'team');
    createGroup(tree, plain);
    expect(passedOn()).toBe('');
    expect(readResources(tree, plain)).toEqual(LinuxResources.create());

    for (const id of [limited, inside]) {
      expect(createGroup(tree, id, LIMITED)).toEqual(LIMITED);
      expect(readResources(tree, id)).toEqual(LIMITED);
    }
    expect(passedOn()).toBe('hugetlb');
    for (const id of [plain, limited, inside]) await remove(tree, id);
    await remove(tree, group);
    tree.removeParents();
    expect(passedOn()).toBe('hugetlb');
    other.removeParents();
    expect(passedOn()).toBe('');
    expect(existsSync(`${root.mountPath}/teu`)).toBe(false);
  });

  it('is left passed on where it was before', async () => {
    writeFileSync(`${root.mountPath}/cgroup.subtree_control`, '+hugetlb');
    const tree = start('one');
    const id = newContainerId();
    createGroup(tree, id, LIMITED);
    await remove(tree, id);
    tree.removeParents();
    expect(passedOn()).toBe('hugetlb');
    expect(existsSync(`${root.mountPath}/teu`)).toBe(false);
  });

  it('is left passed on if others have come to need it', async () => {
    const tree = start('one');
    const id = newContainerId();
    createGroup(tree, id, LIMITED);
    mkdirSync(`${root.mountPath}/theirs`);
    writeFileSync(`${root.mountPath}/theirs/cgroup.subtree_control`, '+hugetlb');
    await remove(tree, id);
    tree.removeParents();
    expect(passedOn('theirs/')).toBe('hugetlb');
    expect(existsSync(`${root.mountPath}/teu`)).toBe(false);
    rmdirSync(`${root.mountPath}/theirs`);
  });

  it('is passed on again where somebody has removed the groups of the engine', async () => {
    const tree = start('one');
    tree.removeParents();
    const id = newContainerId();
    expect(createGroup(tree, id, LIMITED)).toEqual(LIMITED);
    await remove(tree, id);
  });
});
