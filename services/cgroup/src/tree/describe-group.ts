import type { Cgroup } from '@teu/proto/cgroup';
import { NO_LIMITS, type Limits } from '../domain/limits.js';
import { resourcesOf } from '../domain/requested-limits.js';
import type { CgroupTree } from './cgroup-tree.js';
import { isFrozen } from './freeze-group.js';
import { isErrno } from './group-files.js';
import { readLimits } from './group-limits.js';
import { readProcesses } from './group-processes.js';

/** Describes a group that was just made: nobody is in it yet. */
export function describeNewGroup(tree: CgroupTree, id: string, limits: Limits): Cgroup {
  return {
    id,
    resources: resourcesOf(limits),
    membership: tree.membership(id),
    frozen: false,
    processCount: 0,
    group: tree.placeOf(id),
  };
}

/**
 * Describes a group as it is now. One that is half made or half removed has no limits.
 *
 * @throws CGROUP_NOT_FOUND
 */
export function describeGroup(tree: CgroupTree, id: string): Cgroup {
  tree.checkExists(id);
  return {
    ...describeNewGroup(tree, id, limitsIfThere(tree, id)),
    frozen: isFrozen(tree, id),
    processCount: readProcesses(tree.processGroup(id)).length,
  };
}

function limitsIfThere(tree: CgroupTree, id: string): Limits {
  try {
    return readLimits(tree, id);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return NO_LIMITS;
    throw error;
  }
}
