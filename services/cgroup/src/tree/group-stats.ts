import { clock } from '@teu/ids';
import type { Stats } from '@teu/proto/cgroup';
import type { ControllerName } from '../domain/host.js';
import {
  cpuStatsV1,
  cpuStatsV2,
  ioStatsV1,
  ioStatsV2,
  memoryStatsV1,
  memoryStatsV2,
  pidsStats,
  type ReadFile,
} from '../domain/stats.js';
import type { CgroupTree } from './cgroup-tree.js';
import { readIfThere } from './group-files.js';

/** Reads the figures of a group. What the host does not measure is absent. */
export function readStats(tree: CgroupTree, id: string): Stats {
  const of = <T>(name: ControllerName, v1: Parser<T>, v2: Parser<T>): T | undefined => {
    const group = tree.groupOf(name, id);
    if (group === undefined) return undefined;
    return (group.version === 1 ? v1 : v2)((file) => readIfThere(`${group.path}/${file}`));
  };
  return {
    readTime: clock.now(),
    cpu: of('cpu', () => cpuStatsV1(cpuFiles(tree, id)), cpuStatsV2),
    memory: of('memory', memoryStatsV1, memoryStatsV2),
    pids: of('pids', pidsStats, pidsStats),
    io: of('blkio', ioStatsV1, ioStatsV1) ?? of('io', ioStatsV2, ioStatsV2),
    pressure: undefined,
  };
}

type Parser<T> = (read: ReadFile) => T;

/** On version 1 time is counted by cpuacct and throttled by cpu, which may be mounted apart. */
function cpuFiles(tree: CgroupTree, id: string): ReadFile {
  return (file) => {
    const group = tree.groupOf(file.startsWith('cpuacct.') ? 'cpuacct' : 'cpu', id);
    return group === undefined ? undefined : readIfThere(`${group.path}/${file}`);
  };
}
