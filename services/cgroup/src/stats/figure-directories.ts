import type { CgroupTree } from '../tree/cgroup-tree.js';
import type { FigureDirectories } from './figure-parts.js';

/** Tells where the figures of a group are on this host. */
export function figureDirectories(tree: CgroupTree, id: string): FigureDirectories {
  const unified = tree.host.hierarchies.find(({ version }) => version === 2);
  return {
    cpu: tree.groupOf('cpu', id),
    cpuacct: tree.groupOf('cpuacct', id),
    memory: tree.groupOf('memory', id),
    pids: tree.groupOf('pids', id),
    io: tree.groupOf('blkio', id) ?? tree.groupOf('io', id),
    pressure: unified && { path: tree.groupIn(unified, id), version: 2 },
  };
}
