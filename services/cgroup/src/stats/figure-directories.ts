import { existsSync } from 'node:fs';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import type { FigureDirectories, FigureDirectory } from './figure-parts.js';

/**
 * Tells where the figures of a group are on this host.
 *
 * @param id - Of a container, or the directory of a group of containers.
 */
export function figureDirectories(tree: CgroupTree, id: string): FigureDirectories {
  return {
    cpu: tree.groupOf('cpu', id),
    cpuacct: tree.groupOf('cpuacct', id),
    memory: tree.groupOf('memory', id),
    pids: tree.groupOf('pids', id),
    io: tree.groupOf('blkio', id) ?? tree.groupOf('io', id),
    pressure: unified(tree, id),
  };
}

/** Beside version 1 not every group has to have one there: an engine before this one made none. */
function unified(tree: CgroupTree, id: string): FigureDirectory | undefined {
  const hierarchy = tree.host.hierarchies.find(({ version }) => version === 2);
  if (hierarchy === undefined) return undefined;
  const path = tree.groupIn(hierarchy, id);
  const isAlone = tree.host.hierarchies.length === 1;
  return isAlone || existsSync(path) ? { path, version: 2 } : undefined;
}
