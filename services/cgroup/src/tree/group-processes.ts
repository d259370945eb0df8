import { readdirSync } from 'node:fs';
import { isErrno, readGroupFile } from './group-files.js';

/** Returns a group and all groups below it, the deepest first; none if it does not exist. */
export function groupsBelow(path: string): string[] {
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
  const below = entries.filter((entry) => entry.isDirectory());
  return [...below.flatMap((entry) => groupsBelow(`${path}/${entry.name}`)), path];
}

/**
 * Returns the processes of a group and of those below it. Ones that the reader's pid namespace does
 * not have (0) are left out.
 */
export function readProcesses(path: string): number[] {
  return groupsBelow(path).flatMap((group) => processesOf(group));
}

function processesOf(group: string): number[] {
  try {
    const pids = readGroupFile(`${group}/cgroup.procs`).split('\n').filter(Boolean).map(Number);
    return pids.filter((pid) => pid > 0);
  } catch (error) {
    // Removed meanwhile, or a version 2 group of threads, whose processes its parent has.
    if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return [];
    throw error;
  }
}
