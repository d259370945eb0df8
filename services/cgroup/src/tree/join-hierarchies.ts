import { existsSync, rmdirSync } from 'node:fs';
import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { groupOfKey, isGroupKey, titleOf } from '../domain/group-path.js';
import type { Hierarchy } from '../domain/host.js';
import type { CgroupTree } from './cgroup-tree.js';
import { canFreezeIn, freezeGroup, isFrozen, thawGroup } from './freeze-group.js';
import { isErrno, readIfThere, writeGroupFile } from './group-files.js';
import { readProcesses } from './group-processes.js';
import { makeInnerGroup } from './parent-groups.js';
import { tryTo } from './try-to.js';

/** More rounds than it takes while nothing forks. */
const ROUNDS = 10;

/** What is done to a group while its processes are frozen. */
export interface JoinSteps {
  /** Sets limits once the group is there, before processes come. Returns what sets them back, which never fails. */
  readonly limit: () => () => void;
  /** What cannot be set back: it comes last. */
  readonly finish: () => void;
}

/** What was done, to be taken back if something fails. */
interface Done {
  /** Directories that were made, outer ones first. */
  readonly made: string[];
  readonly moved: Moved[];
  unlimit: () => void;
}

/**
 * Makes a group, and what is in it, in hierarchies that it is not in yet, or not with all its processes, and brings all
 * of them there. They are frozen meanwhile, so that none forks past it. Either it is done, or everything is as it was.
 *
 * A service that ends here leaves them frozen; its next start thaws them (left-frozen.ts).
 *
 * @throws what the steps throw; CGROUP_BUSY if the processes can't be stopped or moved
 */
export async function joinHierarchies(
  tree: CgroupTree,
  id: string,
  hierarchies: readonly Hierarchy[],
  steps: JoinSteps,
): Promise<void> {
  const isToFreeze = canFreezeIn(tree.freezer(id).hierarchy) && !isFrozen(tree, id);
  if (isToFreeze) await freezeGroup(tree, id);
  const done: Done = { made: [], moved: [], unlimit: () => undefined };
  try {
    joinFrozen(tree, id, hierarchies, steps, done);
  } catch (error) {
    takeBack(done);
    throw error;
  } finally {
    if (isToFreeze) thawGroup(tree, id);
  }
}

function joinFrozen(
  tree: CgroupTree,
  id: string,
  hierarchies: readonly Hierarchy[],
  { limit, finish }: JoinSteps,
  done: Done,
): void {
  failpoint('cgroup.join.after-freeze');
  const members = membersOf(tree, id);
  for (const hierarchy of hierarchies) {
    for (const member of members) {
      const path = tree.groupIn(hierarchy, member);
      if (!existsSync(path)) done.made.push(path);
      makeInnerGroup(hierarchy, path);
    }
  }
  failpoint('cgroup.join.after-directories');
  done.unlimit = limit();
  failpoint('cgroup.join.after-limits');
  for (const hierarchy of hierarchies) {
    for (const member of members) moveAll(tree, member, hierarchy, done.moved);
  }
  failpoint('cgroup.join.after-moves');
  finish();
}

/** Each step is tried, whatever becomes of the others: the failure that led here is what is told. */
function takeBack({ made, moved, unlimit }: Done): void {
  for (const { pid, from } of moved.reverse()) tryTo(() => join(pid, from));
  unlimit();
  for (const path of made.reverse()) tryTo(() => rmdirSync(path));
}

/** A group of a container alone, or one of containers with what is in it: each after the one that it is in. */
function membersOf(tree: CgroupTree, id: string): string[] {
  if (!isGroupKey(id)) return [id];
  const { groups, containers } = tree.inhabitants(groupOfKey(id));
  const inner = [...groups].filter((key) => key.startsWith(`${id}/`)).sort();
  return [id, ...inner, ...containers.keys()];
}

/** Tells whether a group is in a hierarchy, with all its processes. */
export function hasJoined(tree: CgroupTree, id: string, hierarchy: Hierarchy): boolean {
  if (!existsSync(tree.groupIn(hierarchy, id))) return false;
  // A group of containers is in all hierarchies, and who comes into it as well.
  return isGroupKey(id) || outsideOf(tree, id, hierarchy).length === 0;
}

/** Processes of a container that are not in a hierarchy. */
function outsideOf(tree: CgroupTree, id: string, hierarchy: Hierarchy): number[] {
  const there = new Set(readProcesses(tree.groupIn(hierarchy, id)));
  return readProcesses(tree.processGroup(id)).filter((pid) => !there.has(pid));
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
    const outside = outsideOf(tree, id, hierarchy);
    if (outside.length === 0) return;
    for (const pid of outside) {
      const from = groupOfProcess(pid, hierarchy);
      if (join(pid, target) && from !== undefined) moved.push({ pid, from });
      failpoint('cgroup.join.after-move');
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
