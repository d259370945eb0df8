import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { teuError } from '@teu/errors';
import { LinuxResources } from '@teu/proto/type';
import type { Hierarchy } from '../domain/host.js';
import { belongsIn } from './needed-hierarchies.js';
import type { CgroupTree } from './cgroup-tree.js';
import { isErrno } from './group-files.js';
import { readProcesses } from './group-processes.js';
import { setDevices } from './limits/devices.js';
import { hierarchiesFor, planNew, readResources } from './limits/group-resources.js';
import { performWrite } from './limits/group-write.js';

/** A group that is to be made. */
interface Wanted {
  /** What will be in force. */
  readonly inForce: LinuxResources;
  /** In the order in which the group is made in them. */
  readonly hierarchies: readonly Hierarchy[];
  /** Sets its limits. */
  readonly limit: () => void;
}

/**
 * Makes a group and limits it: in every hierarchy, but in those that are joined only by need, only if it needs them.
 * One without limits comes last, after them: a group that exists there is complete.
 *
 * Without limits this is one mkdir(2) per hierarchy and, on version 1, the list of devices.
 *
 * @returns The limits in force.
 * @throws CGROUP_EXISTS if the group exists with other limits; INVALID_ARGUMENT, RESOURCE_UNSUPPORTED
 */
export function createGroup(
  tree: CgroupTree,
  id: string,
  requested: LinuxResources = LinuxResources.create(),
): LinuxResources {
  const wanted = withParents(tree, () => plan(tree, id, requested));
  if (makeNew(tree, id, wanted)) return wanted.inForce;
  if (isComplete(tree, id)) {
    if (!isDeepStrictEqual(readResources(tree, id), wanted.inForce)) throw exists(id);
    return wanted.inForce;
  }
  // Left by a crash in the middle of a create or a delete; no process was ever told of it.
  for (const path of tree.groups(id).reverse()) removeIfThere(path);
  if (!makeNew(tree, id, wanted)) throw exists(id);
  return wanted.inForce;
}

function plan(tree: CgroupTree, id: string, requested: LinuxResources): Wanted {
  const { writes, inForce } = planNew(tree, id, requested);
  const needed = hierarchiesFor(tree, requested);
  return {
    inForce,
    hierarchies: tree.host.hierarchies.filter(
      (hierarchy) => needed.includes(hierarchy) || belongsIn(tree, hierarchy, id),
    ),
    limit: () => {
      for (const write of writes) performWrite(tree, id, write);
      setDevices(tree, id, requested.devices, 'new');
    },
  };
}

/** @returns False if some part of the group was there already; then nothing was changed. */
function makeNew(tree: CgroupTree, id: string, { hierarchies, limit }: Wanted): boolean {
  const made: string[] = [];
  const make = (path: string): void => {
    withParents(tree, () => mkdirSync(path, 0o755));
    made.push(path);
  };
  const paths = hierarchies.map((hierarchy) => tree.groupIn(hierarchy, id));
  const last = tree.lastMarksComplete ? paths.pop() : undefined;
  try {
    for (const path of paths) make(path);
    limit();
    if (last !== undefined) make(last);
    return true;
  } catch (error) {
    for (const path of made.reverse()) removeIfThere(path);
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Does something in the engine's own groups, and again if somebody has removed them. */
function withParents<T>(tree: CgroupTree, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    tree.makeParents();
    return work();
  }
}

function isComplete(tree: CgroupTree, id: string): boolean {
  if (tree.lastMarksComplete) return existsSync(tree.lastGroup(id));
  // In a tree of one hierarchy the limits come after the directory. Without limits and without
  // processes nothing tells it from one that was left unfinished, and nothing is lost by making it again.
  const paths = tree.hierarchiesOf(id).map((hierarchy) => tree.groupIn(hierarchy, id));
  if (paths.some((path) => !existsSync(path))) return false;
  const isLimited = !isDeepStrictEqual(readResources(tree, id), LinuxResources.create());
  return isLimited || readProcesses(tree.processGroup(id)).length > 0;
}

function exists(id: string): Error {
  return teuError('CGROUP_EXISTS', `cgroup "${id}" exists already, with other limits`, {
    metadata: { cgroup: id },
  });
}

function removeIfThere(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
