import { groupOfKey, isGroupKey } from '../domain/group-path.js';

/** Where a path of a cgroup is, in the terms of this service. */
export interface Place {
  /** Container that it is of; empty for none. */
  readonly containerId: string;
  /** Group that it is, or that the container is in; empty for none. */
  readonly group: string;
  /** Path below the container's own, of a group that the container made itself; empty for none. */
  readonly nested: string;
}

const CONTAINER_ID = /^[0-9a-f]{64}$/;

/**
 * Finds out whose a cgroup is.
 *
 * @param path - Relative to the hierarchy's root, with a slash before, as the kernel's log has it.
 * @param enginePath - Path of the engine's groups, without it.
 * @returns Undefined for a path that is not below the engine's.
 */
export function locate(path: string, enginePath: string): Place | undefined {
  const prefix = `/${enginePath}/`;
  if (!path.startsWith(prefix)) return undefined;
  const parts = path.slice(prefix.length).split('/');
  const end = parts.findIndex((part) => !isGroupKey(part));
  const groups = end === -1 ? parts : parts.slice(0, end);
  const [containerId = '', ...nested] = end === -1 ? [] : parts.slice(end);
  if (containerId !== '' && !CONTAINER_ID.test(containerId)) return undefined;
  const group = groups.length === 0 ? '' : groupOfKey(groups.join('/'));
  return { containerId, group, nested: nested.join('/') };
}
