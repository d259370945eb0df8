import { teuError } from '@teu/errors';
import { titleOf } from '../domain/group-path.js';
import type { CgroupTree } from './cgroup-tree.js';
import { readGroupFile, readIfThere, writeGroupFile } from './group-files.js';
import { groupsBelow } from './group-processes.js';
import { waitUntil } from './wait-until.js';

/** A task in an uninterruptible wait, for a dead NFS server for example, freezes only after it. */
const FREEZE_TIMEOUT_MS = 5000;

/**
 * Stops all processes of a group and below; returns when the last one has stopped.
 *
 * @throws CGROUP_BUSY if one cannot be stopped in time; then all go on
 */
export async function freezeGroup(tree: CgroupTree, id: string): Promise<void> {
  if (await tryFreeze(tree, id, FREEZE_TIMEOUT_MS)) return;
  thawGroup(tree, id);
  const { title, metadata } = titleOf(id);
  const text = `${title} cannot be frozen: a process does not stop; it goes on running`;
  throw teuError('CGROUP_BUSY', text, { metadata });
}

/** @returns Whether all have stopped within the time; if not, those that did stay stopped. */
export async function tryFreeze(tree: CgroupTree, id: string, timeoutMs: number): Promise<boolean> {
  const group = checkFreezable(tree, id);
  if (tree.processHierarchy.version === 2) {
    writeGroupFile(`${group}/cgroup.freeze`, '1');
  } else {
    writeGroupFile(`${group}/freezer.state`, 'FROZEN');
  }
  return await waitUntil(() => isFrozen(tree, id), timeoutMs);
}

/**
 * Lets a group run again; on version 1 also the groups that were frozen below it, which the
 * container may have done itself and which would keep a killed process from dying.
 */
export function thawGroup(tree: CgroupTree, id: string, below = false): void {
  const group = checkFreezable(tree, id);
  if (tree.processHierarchy.version === 2) {
    writeGroupFile(`${group}/cgroup.freeze`, '0');
    return;
  }
  const groups = below ? groupsBelow(group).reverse() : [group];
  for (const path of groups) writeGroupFile(`${path}/freezer.state`, 'THAWED');
}

/** Tells whether all processes of a group are stopped; false if it is gone or cannot be frozen. */
export function isFrozen(tree: CgroupTree, id: string): boolean {
  const group = tree.processGroup(id);
  if (tree.processHierarchy.version === 1) {
    return readIfThere(`${group}/freezer.state`)?.trim() === 'FROZEN';
  }
  return /^frozen 1$/m.test(readIfThere(`${group}/cgroup.events`) ?? '');
}

/** Tells whether this host can freeze: version 1 needs the freezer, version 2 always can (5.2). */
export function canFreeze(tree: CgroupTree): boolean {
  const { version, controllers } = tree.processHierarchy;
  return version === 2 || controllers.includes('freezer');
}

function checkFreezable(tree: CgroupTree, id: string): string {
  const group = tree.processGroup(id);
  if (!canFreeze(tree)) {
    throw teuError('RESOURCE_UNSUPPORTED', 'this host cannot freeze: it has no freezer', {
      metadata: { field: 'freezer' },
    });
  }
  readGroupFile(`${group}/cgroup.procs`);
  return group;
}
