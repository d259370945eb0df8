import type { Cgroup } from '@teu/proto/cgroup';
import { LinuxResources } from '@teu/proto/type';
import type { CgroupTree } from './cgroup-tree.js';
import { isFrozen } from './freeze-group.js';
import { isErrno } from './group-files.js';
import { readProcesses } from './group-processes.js';
import { readResources } from './limits/group-resources.js';

/** Describes a group that was just made: nobody is in it yet. */
export function describeNewGroup(tree: CgroupTree, id: string, resources: LinuxResources): Cgroup {
  return {
    id,
    resources,
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
    ...describeNewGroup(tree, id, resourcesIfThere(tree, id)),
    frozen: isFrozen(tree, id),
    processCount: readProcesses(tree.processGroup(id)).length,
  };
}

function resourcesIfThere(tree: CgroupTree, id: string): LinuxResources {
  try {
    return readResources(tree, id);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return LinuxResources.create();
    throw error;
  }
}
