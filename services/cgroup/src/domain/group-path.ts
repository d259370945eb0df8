/**
 * Groups of containers in the tree. The group "team/build" is the directory "g.team/g.build" below the engine's own, so
 * that no name of a group is ever taken for an id of a container.
 */
const PREFIX = 'g.';

/** Directory of a group, relative to the engine's; what the functions of the tree take in the place of an id. */
export function keyOfGroup(name: string): string {
  return name
    .split('/')
    .map((part) => `${PREFIX}${part}`)
    .join('/');
}

/** Name of the group that has a directory, relative to the engine's; of the engine's own the empty name. */
export function groupOfKey(key: string): string {
  return key
    .split('/')
    .map((part) => part.slice(PREFIX.length))
    .join('/');
}

/** Whether this is the directory of a group and not the id of a container. */
export function isGroupKey(key: string): boolean {
  return key.startsWith(PREFIX);
}

/** The group that a group is in; empty for one that is in none. */
export function parentOf(name: string): string {
  return name.slice(0, Math.max(name.lastIndexOf('/'), 0));
}

/** Whether a group is in another one, at any depth; all are in the one without a name. */
export function isBelow(name: string, ancestor: string): boolean {
  return ancestor === '' || name.startsWith(`${ancestor}/`);
}

/** A group and those that it is in, the outermost first. */
export function withAncestors(name: string): string[] {
  const parts = name.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** What messages and the metadata of errors call a directory: a container's group, or a group of containers. */
export function titleOf(key: string): { title: string; metadata: Record<string, string> } {
  if (!isGroupKey(key)) return { title: `cgroup "${key}"`, metadata: { cgroup: key } };
  const group = groupOfKey(key);
  return { title: `group "${group}"`, metadata: { group } };
}
