import { readdirSync } from 'node:fs';
import { groupOfKey, isGroupKey } from '../domain/group-path.js';
import { isErrno } from './group-files.js';

/** What is in a directory of groups, at any depth. */
export interface Inhabitants {
  /** Ids of containers, and the name of the group that each is in. */
  readonly containers: ReadonlyMap<string, string>;
  /** Directories of groups, relative to the engine's; those that others are in come first. */
  readonly groups: ReadonlySet<string>;
}

/**
 * Looks through the same directory in several hierarchies. What a container has made in its own is not looked at.
 *
 * @param roots - Directory of the engine in each hierarchy.
 * @param below - Where to begin: directory of a group, relative to the engine's; empty for all.
 */
export function walkTree(roots: readonly string[], below = ''): Inhabitants {
  const containers = new Map<string, string>();
  const groups = new Set<string>();
  const walk = (root: string, key: string): void => {
    for (const name of directoriesIn(key === '' ? root : `${root}/${key}`)) {
      if (isGroupKey(name)) {
        const inner = key === '' ? name : `${key}/${name}`;
        groups.add(inner);
        walk(root, inner);
      } else {
        containers.set(name, groupOfKey(key));
      }
    }
  };
  for (const root of roots) walk(root, below);
  return { containers, groups };
}

function directoriesIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
