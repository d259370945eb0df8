import { readdirSync } from 'node:fs';
import type { CgroupTree } from '../tree/cgroup-tree.js';

const CONTAINER_ID = /^[0-9a-f]{64}$/;

/**
 * Ids of containers, in order. Looks into one hierarchy only, unlike the tree itself, which also finds what is half
 * made: that has no figures yet.
 */
export function listContainers({ processHierarchy, groupPath }: CgroupTree): string[] {
  const names = readdirSync(`${processHierarchy.mountPath}/${groupPath}`);
  return names.filter((name) => CONTAINER_ID.test(name)).sort();
}
