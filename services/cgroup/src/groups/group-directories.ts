import { existsSync } from 'node:fs';
import { keyOfGroup } from '../domain/group-path.js';
import { NO_LIMITS, type Limits } from '../domain/limits.js';
import { completeLimits, type RequestedLimits } from '../domain/requested-limits.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { isErrno } from '../tree/group-files.js';
import { canLimit, checkSupported, inForce, readLimits } from '../tree/group-limits.js';
import { makeInnerGroup } from '../tree/parent-groups.js';
import { updateGroup } from '../tree/update-group.js';

/** Whether a group has its directory in every hierarchy. */
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

/**
 * The limits that a new group would have.
 * @throws RESOURCE_UNSUPPORTED, INVALID_ARGUMENT
 */
export function limitsOfNew(tree: CgroupTree, requested: RequestedLimits): Limits {
  checkSupported(tree, requested);
  return inForce(tree, completeLimits(requested, NO_LIMITS, canLimit(tree, 'memorySwap')));
}

/**
 * Gives a group exactly these limits. What is in force already is not written again.
 * @returns The limits in force.
 * @throws INVALID_STATE if more is in use than they allow; then nothing is changed
 */
export function setLimits(tree: CgroupTree, name: string, limits: Limits): Limits {
  return updateGroup(tree, keyOfGroup(name), limits);
}

/** Reads the limits of a group. */
export function limitsOf(tree: CgroupTree, name: string): Limits {
  return readLimits(tree, keyOfGroup(name));
}
