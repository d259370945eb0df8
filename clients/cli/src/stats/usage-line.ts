import { Stats, type StatsEntry } from '@teu/proto/cgroup';
import type { Duration } from '@teu/proto/google';
import { memorySize, shortId, storedSize } from '../output/for-people.js';

/** What one line tells: figures of one moment, and what follows from those of the sample before. */
export interface UsageLine {
  readonly containerId: string;
  readonly name: string;
  /** Path of the group, or of the one that the container is in. */
  readonly group: string;
  /** Of one processor since the sample before; null without one. */
  readonly cpuPercent: number | null;
  /** Of the limit, or of all memory of the host; null if memory is not measured. */
  readonly memoryPercent: number | null;
  /** The smallest that is in force: its own, of a group above, or the memory of the host. */
  readonly memoryLimitBytes: number | null;
  /** Null for a container that does not run. */
  readonly stats: Stats | null;
}

/** Column titles, as docker has them; PRESSURE only where a kernel tells. */
export const usageHeader = (withPressure: boolean): string[] => [
  ...['CONTAINER ID', 'NAME', 'CPU %', 'MEM USAGE / LIMIT', 'MEM %', 'BLOCK I/O', 'PIDS'],
  ...(withPressure ? ['PRESSURE CPU / MEM / IO'] : []),
];

/**
 * @param before the same container or group in the sample before
 * @param hostBytes memory of the host, which limits what has no limit
 */
export function usageLine(
  entry: StatsEntry,
  before: StatsEntry | undefined,
  hostBytes: number,
): UsageLine | undefined {
  const { containerId, name, group, stats } = entry;
  if (stats === undefined) return undefined;
  const { memory } = stats;
  const limit = memory?.effectiveLimitBytes ?? -1;
  const memoryLimitBytes = limit < 0 ? hostBytes : Math.min(limit, hostBytes);
  return {
    ...{ containerId, name, group, stats, memoryLimitBytes },
    cpuPercent: cpuPercent(before?.stats, stats),
    memoryPercent: memory === undefined ? null : (100 * memory.workingSetBytes) / memoryLimitBytes,
  };
}

/** What there is to say of a container that does not run. */
export function lineWithoutFigures(containerId: string, name: string, group: string): UsageLine {
  return {
    ...{ containerId, name, group, stats: null },
    ...{ memoryLimitBytes: null, cpuPercent: null, memoryPercent: null },
  };
}

/**
 * The cells of a line.
 *
 * @param full - with the whole id
 */
export function usageCells(line: UsageLine, withPressure: boolean, full: boolean): string[] {
  const { containerId, memoryLimitBytes } = line;
  const { memory, io, pids, pressure } = line.stats ?? Stats.create();
  const size = (bytes: number) => memorySize(bytes).replace(' ', '');
  const waited = [pressure?.cpu, pressure?.memory, pressure?.io].map((resource) =>
    resource?.some === undefined ? '--' : percent(resource.some.avg10),
  );
  return [
    containerId === '' ? 'group' : full ? containerId : shortId(containerId),
    containerId === '' ? line.group : line.name,
    percent(line.cpuPercent),
    memory === undefined
      ? '--'
      : `${size(memory.workingSetBytes)} / ${size(memoryLimitBytes ?? 0)}`,
    percent(line.memoryPercent),
    io === undefined ? '--' : `${storedSize(io.readBytes)} / ${storedSize(io.writeBytes)}`,
    pids === undefined ? '--' : String(pids.currentCount),
    ...(withPressure ? [waited.join(' / ')] : []),
  ];
}

/** Docker's: 100 % is one processor, over the time that really went by between two readings. */
export function cpuPercent(before: Stats | undefined, now: Stats): number | null {
  if (before?.cpu === undefined || now.cpu === undefined) return null;
  const elapsedMs = (now.readTime?.getTime() ?? 0) - (before.readTime?.getTime() ?? 0);
  const usedMs = milliseconds(now.cpu.usageDuration) - milliseconds(before.cpu.usageDuration);
  // Less than before: another cgroup under the same id.
  return elapsedMs <= 0 || usedMs < 0 ? null : (100 * usedMs) / elapsedMs;
}

const milliseconds = (duration: Duration | undefined): number =>
  (duration?.seconds ?? 0) * 1000 + (duration?.nanos ?? 0) / 1e6;

const percent = (value: number | null): string => (value === null ? '--' : `${value.toFixed(2)}%`);
