import { existsSync } from 'node:fs';
import type { LinuxResources } from '@teu/proto/type';
import { keyOfGroup } from '../domain/group-path.js';
import { belongsIn } from '../tree/needed-hierarchies.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { isErrno } from '../tree/group-files.js';
import { unsupported } from '../tree/limits/limit-family.js';
import { hierarchiesFor, planNew, readResources } from '../tree/limits/group-resources.js';
import { makeInnerGroup } from '../tree/parent-groups.js';
import { setExactly } from '../tree/update-group.js';
import { DEVICES_FIELD } from '../domain/device-rule.js';
import type { Hierarchy } from '../domain/host.js';

/** Whether a group with these limits has its directory in every hierarchy that it needs. */
export function hasDirectories(tree: CgroupTree, name: string, limits: LinuxResources): boolean {
  const key = keyOfGroup(name);
  return hierarchiesOf(tree, key, limits).every((each) => existsSync(tree.groupIn(each, key)));
}

/** Makes the directories of a group where they are missing; the one that it is in must have its own. */
export function makeDirectories(tree: CgroupTree, name: string, limits: LinuxResources): void {
  const key = keyOfGroup(name);
  const make = (): void => {
    for (const hierarchy of hierarchiesOf(tree, key, limits)) {
      makeInnerGroup(hierarchy, tree.groupIn(hierarchy, key));
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

function hierarchiesOf(tree: CgroupTree, key: string, limits: LinuxResources): Hierarchy[] {
  const needed = hierarchiesFor(tree, limits);
  return tree.host.hierarchies.filter(
    (hierarchy) => needed.includes(hierarchy) || belongsIn(tree, hierarchy, key),
  );
}

/**
 * The limits that a new group would have. What the kernel does not tell of is kept as it was asked for.
 * @throws RESOURCE_UNSUPPORTED, INVALID_ARGUMENT
 */
export function limitsOfNew(tree: CgroupTree, requested: LinuxResources): LinuxResources {
  checkForGroup(requested);
  return { ...planNew(tree, requested).inForce, unified: requested.unified };
}

/** @throws RESOURCE_UNSUPPORTED for what only the cgroup of a container can have */
export function checkForGroup({ devices }: LinuxResources): void {
  if (devices.length > 0) throw unsupported(DEVICES_FIELD, 'only a container has such a list');
}

/**
 * Gives a group exactly these limits. What is in force already is not written again.
 * @throws INVALID_STATE if more is in use than they allow; then nothing is changed
 */
export function setLimits(tree: CgroupTree, name: string, limits: LinuxResources): void {
  setExactly(tree, keyOfGroup(name), limits);
}

/**
 * Reads the limits of a group.
 *
 * @param asked - What it was asked to have, of which the kernel does not tell everything.
 */
export function limitsOf(
  tree: CgroupTree,
  name: string,
  ...asked: readonly LinuxResources[]
): LinuxResources {
  const unified = Object.assign({}, ...asked.map((each) => each.unified)) as Record<string, string>;
  return { ...readResources(tree, keyOfGroup(name)), unified };
}
