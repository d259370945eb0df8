import { mkdirSync, rmdirSync } from 'node:fs';
import { teuError } from '@teu/errors';
import type { Hierarchy } from '../domain/host.js';
import type { CgroupTree } from './cgroup-tree.js';
import { canFreeze, freezeGroup, isFrozen, thawGroup } from './freeze-group.js';
import { isErrno, readIfThere, writeGroupFile } from './group-files.js';
import { readProcesses } from './group-processes.js';

/** More rounds than processes that can appear while nothing forks. */
const ROUNDS = 10;

/**
 * Makes a group in hierarchies that it is not in yet, and brings all its processes there. They are frozen meanwhile, so
 * that none forks past it. Either it is done, or everything is as it was.
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
  const wasFrozen = isFrozen(tree, id);
  if (!wasFrozen && canFreeze(tree)) await freezeGroup(tree, id);
  const made: string[] = [];
  const moved: Moved[] = [];
  try {
    for (const hierarchy of hierarchies) {
      mkdirSync(tree.groupIn(hierarchy, id), 0o755);
      made.push(tree.groupIn(hierarchy, id));
    }
    limit();
    for (const hierarchy of hierarchies) moveAll(tree, id, hierarchy, moved);
  } catch (error) {
    for (const { pid, from } of moved.reverse()) join(pid, from);
    for (const path of made.reverse()) rmdirSync(path);
    throw error;
  } finally {
    if (!wasFrozen && canFreeze(tree)) thawGroup(tree, id);
  }
}

/** A process that was moved, and where it had been. */
interface Moved {
  readonly pid: number;
  readonly from: string;
}

function moveAll(tree: CgroupTree, id: string, hierarchy: Hierarchy, moved: Moved[]): void {
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
  throw teuError(
    'CGROUP_BUSY',
    `processes of cgroup "${id}" cannot be moved: there are always more`,
    {
      metadata: { cgroup: id },
    },
  );
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

/** Finds the group of a process in a hierarchy: a line "7:cpuset:/path" of its file (cgroups(7)). */
function groupOfProcess(pid: number, hierarchy: Hierarchy): string | undefined {
  const { mountPath, mountData, version } = hierarchy;
  for (const line of (readIfThere(`/proc/${pid}/cgroup`) ?? '').split('\n')) {
    const [, number, names, path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    const isIt = version === 2 ? number === '0' : names === mountData;
    if (isIt && path !== undefined) return `${mountPath}${path}`;
  }
  return undefined;
}
