import type { Hierarchy } from '../../domain/host.js';
import type { CgroupTree } from '../cgroup-tree.js';

/**
 * Files of the core ("cgroup.*") are the service's own; others tell something, register who wants to hear, or make the
 * kernel do something once.
 */
const NO_LIMITS = /^cgroup\.|\.(pressure|peak|reclaim)$/;

/** Whether a name can be that of a limit. */
export function isLimitFile(name: string): boolean {
  return !NO_LIMITS.test(name);
}

/** The hierarchy of version 2, if the host has one that is used. */
export function unifiedHierarchy(tree: CgroupTree): Hierarchy | undefined {
  return tree.host.hierarchies.find(({ version }) => version === 2);
}

/** Name of an entry of a request, for errors. */
export function unifiedField(file: string): string {
  return `resources.unified["${file.slice(0, 64)}"]`;
}
