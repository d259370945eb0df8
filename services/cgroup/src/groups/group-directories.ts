import { existsSync } from 'node:fs';
import { keyOfGroup } from '../domain/group-path.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { isErrno } from '../tree/group-files.js';
import { makeInnerGroup } from '../tree/parent-groups.js';

/** Whether a group has its directory in every hierarchy, also in those that a container joins only by need. */
export function hasDirectories(tree: CgroupTree, name: string): boolean {
  return tree.groups(keyOfGroup(name)).every((path) => existsSync(path));
}

/** Makes the directories of a group where they are missing; the one that it is in must have its own. */
export function makeDirectories(tree: CgroupTree, name: string): void {
  const make = (): void => {
    for (const hierarchy of tree.host.hierarchies) {
      makeInnerGroup(hierarchy, tree.groupIn(hierarchy, keyOfGroup(name)));
    }
  };
  try {
    make();
  } catch (error) {
    // Somebody has removed the engine's own.
    if (!isErrno(error, 'ENOENT')) throw error;
    tree.makeParents();
    make();
  }
}
