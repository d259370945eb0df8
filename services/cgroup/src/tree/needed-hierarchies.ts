import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { isOnDemand, type Hierarchy } from '../domain/host.js';
import type { CgroupTree } from './cgroup-tree.js';

/**
 * Tells whether a group is to be in a hierarchy whatever its limits are: in all but those that are joined only by need,
 * and in those if the group of containers that it is in is there.
 */
export function belongsIn(tree: CgroupTree, hierarchy: Hierarchy, id: string): boolean {
  if (!isOnDemand(hierarchy)) return true;
  const parent = dirname(tree.groupIn(hierarchy, id));
  return parent !== `${hierarchy.mountPath}/${tree.groupPath}` && existsSync(parent);
}
