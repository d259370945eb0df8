import { rmdirSync } from 'node:fs';
import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { titleOf } from '../domain/group-path.js';
import type { CgroupTree } from './cgroup-tree.js';
import { isErrno } from './group-files.js';
import { groupsBelow, readProcesses } from './group-processes.js';
import { killGroup } from './kill-group.js';
import { waitUntil } from './wait-until.js';

/** A process leaves its groups some time after it has become invisible; until then EBUSY. */
const EMPTY_TIMEOUT_MS = 2000;

/**
 * Removes a group in all hierarchies, and the groups that the container made below it.
 *
 * The last hierarchy comes first: what is left by a crash in between is not complete any more.
 *
 * @param force - Kill what is in it first.
 * @param measure - Called when nothing runs in the group any more; its result is returned. If it fails, nothing is removed.
 * @throws CGROUP_BUSY if processes are in it; what has no processes is removed nonetheless
 */
export async function deleteGroup<T>(
  tree: CgroupTree,
  id: string,
  force: boolean,
  measure: () => Promise<T> | T,
): Promise<T> {
  if (force) await killGroup(tree, id);
  const busy = readProcesses(tree.processGroup(id)).length;
  if (busy > 0) throw stillBusy(id, busy);
  const measured = await measure();
  failpoint('cgroup.usage.before-rmdir');
  // Removing a directory stops this thread until what is being written to a file in it is written.
  await tree.updates.run(id, () => removeDirectories(tree, id));
  return measured;
}

async function removeDirectories(tree: CgroupTree, id: string): Promise<void> {
  for (const path of tree.groups(id).reverse()) {
    const removed = await waitUntil(() => removeAll(path), EMPTY_TIMEOUT_MS);
    if (!removed) throw stillBusy(id, readProcesses(path).length);
    failpoint('cgroup.usage.after-rmdir');
  }
}

/** @returns False if a group was busy. */
function removeAll(path: string): boolean {
  for (const group of groupsBelow(path)) {
    try {
      rmdirSync(group);
    } catch (error) {
      if (isErrno(error, 'EBUSY', 'ENOTEMPTY')) return false;
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
  return true;
}

function stillBusy(id: string, count: number): Error {
  const { title, metadata } = titleOf(id);
  const text = `${title} cannot be removed: ${count} processes are in it`;
  return teuError('CGROUP_BUSY', text, {
    metadata: { ...metadata, process_count: String(count) },
  });
}
