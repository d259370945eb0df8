import { teuError } from '@teu/errors';
import { titleOf } from '../domain/group-path.js';
import type { Hierarchy } from '../domain/host.js';
import type { CgroupTree, GroupDirectory } from './cgroup-tree.js';
import { isErrno, readGroupFile, readIfThere, writeGroupFile } from './group-files.js';
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

/**
 * On version 1 it is asked for again as long as it takes: a process that waits for the child that it has made by vfork(2)
 * is passed over if that has stopped before, and then nothing but asking again reaches it (seen with Linux 6.18 in one of
 * sixty tries with a shell that starts one program after the other).
 *
 * @returns Whether all have stopped within the time; if not, those that did stay stopped.
 */
export async function tryFreeze(tree: CgroupTree, id: string, timeoutMs: number): Promise<boolean> {
  const group = checkFreezable(tree, id);
  writeState(group, true);
  return await waitUntil(() => {
    if (isFrozen(tree, id)) return true;
    if (group.hierarchy.version === 1) writeState(group, true);
    return false;
  }, timeoutMs);
}

/** Lets a group run again; not what is in it and was frozen by itself. */
export function thawGroup(tree: CgroupTree, id: string): void {
  writeState(checkFreezable(tree, id), false);
}

/**
 * Lets a group run again with all groups in it, in every hierarchy: a container may have frozen some itself, which on
 * version 1 keeps a killed process from dying.
 */
export function thawAll(tree: CgroupTree, id: string): void {
  for (const hierarchy of tree.host.hierarchies) {
    if (!canFreezeIn(hierarchy)) continue;
    for (const path of groupsBelow(tree.groupIn(hierarchy, id)).reverse()) {
      try {
        writeState({ path, hierarchy }, false);
      } catch (error) {
        // Removed by the container meanwhile.
        if (!isErrno(error, 'ENOENT', 'ENODEV')) throw error;
      }
    }
  }
}

/** Tells whether all processes of a group are stopped; false if it is gone or cannot be frozen. */
export function isFrozen(tree: CgroupTree, id: string): boolean {
  const { path, hierarchy } = tree.freezer(id);
  if (hierarchy.version === 1) {
    return readIfThere(`${path}/freezer.state`)?.trim() === 'FROZEN';
  }
  return /^frozen 1$/m.test(readIfThere(`${path}/cgroup.events`) ?? '');
}

/** Tells whether a group itself is to stand still, be it that all of its processes do already or not. */
export function isToldToFreeze(tree: CgroupTree, id: string): boolean {
  const { path, hierarchy } = tree.freezer(id);
  const file = hierarchy.version === 1 ? 'freezer.self_freezing' : 'cgroup.freeze';
  return readIfThere(`${path}/${file}`)?.trim() === '1';
}

/** Tells whether this host can freeze groups. */
export function canFreeze(tree: CgroupTree): boolean {
  return canFreezeIn(tree.freezer('').hierarchy);
}

/** Tells whether a group can be frozen in a hierarchy: version 1 needs the freezer, version 2 always can (5.2). */
export function canFreezeIn({ version, controllers }: Hierarchy): boolean {
  return version === 2 || controllers.includes('freezer');
}

function writeState({ path, hierarchy }: GroupDirectory, frozen: boolean): void {
  if (hierarchy.version === 2) writeGroupFile(`${path}/cgroup.freeze`, frozen ? '1' : '0');
  else writeGroupFile(`${path}/freezer.state`, frozen ? 'FROZEN' : 'THAWED');
}

function checkFreezable(tree: CgroupTree, id: string): GroupDirectory {
  const group = tree.freezer(id);
  if (!canFreezeIn(group.hierarchy)) {
    throw teuError('RESOURCE_UNSUPPORTED', 'this host cannot freeze: it has no freezer', {
      metadata: { field: 'freezer' },
    });
  }
  readGroupFile(`${group.path}/cgroup.procs`);
  return group;
}
