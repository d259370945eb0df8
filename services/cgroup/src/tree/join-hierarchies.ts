import { rmdirSync } from 'node:fs';
import { teuError } from '@teu/errors';
import { groupOfKey, isGroupKey, titleOf } from '../domain/group-path.js';
import type { Hierarchy } from '../domain/host.js';
import type { CgroupTree } from './cgroup-tree.js';
import { canFreezeIn, freezeGroup, isFrozen, thawGroup } from './freeze-group.js';
import { isErrno, readIfThere, writeGroupFile } from './group-files.js';
import { readProcesses } from './group-processes.js';
import { makeInnerGroup } from './parent-groups.js';

/** More rounds than it takes while nothing forks. */
const ROUNDS = 10;

/**
 * Makes a group, and what is in it, in hierarchies that it is not in yet, and brings all processes there. They are
 * frozen meanwhile, so that none forks past it. Either it is done, or everything is as it was.
 *
 * @param limit - Sets the limits once the group is there; nobody is in it then.
 * @throws what `limit` throws; CGROUP_BUSY if the processes can't be stopped or moved
 */
export async function joinHierarchies(
  tree: CgroupTree,
  id: string,
  hierarchies: readonly Hierarchy[],
  limit: () => void,
): Promise<void> {
  const isToFreeze = canFreezeIn(tree.freezer(id).hierarchy) && !isFrozen(tree, id);
  if (isToFreeze) await freezeGroup(tree, id);
  const made: string[] = [];
  const moved: Moved[] = [];
  const members = membersOf(tree, id);
  try {
    for (const hierarchy of hierarchies) {
      for (const member of members) {
        const path = tree.groupIn(hierarchy, member);
        made.push(path);
        makeInnerGroup(hierarchy, path);
      }
    }
    limit();
    for (const hierarchy of hierarchies) {
      for (const member of members) moveAll(tree, member, hierarchy, moved);
    }
  } catch (error) {
    for (const { pid, from } of moved.reverse()) join(pid, from);
    for (const path of made.reverse()) removeIfThere(path);
    throw error;
  } finally {
    if (isToFreeze) thawGroup(tree, id);
  }
}

function removeIfThere(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** A group of a container alone, or one of containers with what is in it: each after the one that it is in. */
function membersOf(tree: CgroupTree, id: string): string[] {
  if (!isGroupKey(id)) return [id];
  const { groups, containers } = tree.inhabitants(groupOfKey(id));
  const inner = [...groups].filter((key) => key.startsWith(`${id}/`)).sort();
  return [id, ...inner, ...containers.keys()];
}

/** A process that was moved, and where it had been. */
interface Moved {
  readonly pid: number;
  readonly from: string;
}

function moveAll(tree: CgroupTree, id: string, hierarchy: Hierarchy, moved: Moved[]): void {
  if (isGroupKey(id)) return;
  const target = tree.groupIn(hierarchy, id);
  for (let round = 0; round < ROUNDS; round += 1) {
    const there = new Set(readProcesses(target));
    const outside = readProcesses(tree.processGroup(id)).filter((pid) => !there.has(pid));
    if (outside.length === 0) return;
    for (const pid of outside) {
      const from = groupOfProcess(pid, hierarchy);
      if (join(pid, target) && from !== undefined) moved.push({ pid, from });
    }
  }
  const { title, metadata } = titleOf(id);
  throw teuError('CGROUP_BUSY', `processes of ${title} cannot be moved: there are always more`, {
    metadata,
  });
}

/** @returns False if the process has ended. */
function join(pid: number, group: string): boolean {
  try {
    writeGroupFile(`${group}/cgroup.procs`, String(pid));
    return true;
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false;
    throw error;
  }
}

/** Finds the group of a process in a hierarchy of version 1: a line "7:cpuset:/path" (cgroups(7)). */
function groupOfProcess(pid: number, { mountPath, mountData }: Hierarchy): string | undefined {
  for (const line of (readIfThere(`/proc/${pid}/cgroup`) ?? '').split('\n')) {
    const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (names === mountData && path !== undefined) return `${mountPath}${path}`;
  }
  return undefined;
}
