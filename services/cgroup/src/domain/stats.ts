import type { CpuStats, MemoryStats, PidsStats } from '@teu/proto/cgroup';
import type { Duration } from '@teu/proto/google';
import { FileText, keysOf, parseFirstNumber, parseKeys } from './file-text.js';

/** Reads files of one group. */
export interface FigureFiles {
  /** The text of a file; undefined if this kernel does not have it. Good until the next call. */
  read(name: string): FileText | undefined;
  /**
   * What a file says that changes seldom, such as a limit; undefined if this kernel does not have it. It may be some
   * seconds old.
   */
  seldom<T>(name: string, parse: (text: FileText) => T): T | undefined;
  /** The smallest limit that files of this name have in the directories above; -1 for none. As old as {@link seldom}. */
  limitAbove(name: string): number;
}

const NANOSECONDS = 1_000_000_000;
const NANOSECONDS_OF_MICROSECOND = 1000;
const EMPTY = FileText.of('');

/** The smaller of two limits, of which -1 is none. */
export function smallerLimit(one: number, other: number): number {
  if (one === -1) return other;
  return other === -1 ? one : Math.min(one, other);
}

/** Makes a duration of the API. */
export function durationOf(nanoseconds: number): Duration {
  const seconds = Math.floor(nanoseconds / NANOSECONDS);
  return { seconds, nanos: Math.round(nanoseconds - seconds * NANOSECONDS) };
}

const V1_CPU = keysOf('nr_periods', 'nr_throttled', 'throttled_time');
const parseV1Cpu = (text: FileText): number[] => parseKeys(text, V1_CPU);

/** Version 1: cpuacct.rst, and cpu.stat of the CFS bandwidth control. The two may be mounted apart. */
export function cpuStatsV1(cpuacct: FigureFiles, cpu: FigureFiles): CpuStats {
  // Without a quota nothing is throttled.
  const quota = cpu.seldom('cpu.cfs_quota_us', parseFirstNumber) ?? -1;
  const throttling = counters(cpu, 'cpu.stat', parseV1Cpu, quota !== -1) ?? [];
  return {
    usageDuration: cpuUsageV1(cpuacct),
    userDuration: durationOf(numberIn(cpuacct, 'cpuacct.usage_user')),
    systemDuration: durationOf(numberIn(cpuacct, 'cpuacct.usage_sys')),
    periodCount: throttling[0] ?? 0,
    throttledPeriodCount: throttling[1] ?? 0,
    throttledDuration: durationOf(throttling[2] ?? 0),
  };
}

const V2_USAGE = keysOf('usage_usec');
const V2_CPU = keysOf(
  'usage_usec',
  'user_usec',
  'system_usec',
  'nr_periods',
  'nr_throttled',
  'throttled_usec',
);

/** User and system time alone. */
export function cpuUsageV1(cpuacct: FigureFiles): Duration {
  return durationOf(numberIn(cpuacct, 'cpuacct.usage'));
}

/** User and system time alone. */
export function cpuUsageV2(files: FigureFiles): Duration {
  return microseconds(parseKeys(files.read('cpu.stat') ?? EMPTY, V2_USAGE)[0]);
}

/** Version 2: cpu.stat, in microseconds. */
export function cpuStatsV2(files: FigureFiles): CpuStats {
  const stat = parseKeys(files.read('cpu.stat') ?? EMPTY, V2_CPU);
  return {
    usageDuration: microseconds(stat[0]),
    userDuration: microseconds(stat[1]),
    systemDuration: microseconds(stat[2]),
    periodCount: stat[3] ?? 0,
    throttledPeriodCount: stat[4] ?? 0,
    throttledDuration: microseconds(stat[5]),
  };
}

const V1_MEMORY = keysOf(
  'total_cache',
  'total_rss',
  'total_swap',
  'total_inactive_file',
  'hierarchical_memory_limit',
);
const OOM_KILL = keysOf('oom_kill');

/** Version 1 (memory.rst). The "total_" figures include groups below. */
export function memoryStatsV1(files: FigureFiles): MemoryStats {
  const stat = parseKeys(files.read('memory.stat') ?? EMPTY, V1_MEMORY);
  const usageBytes = memoryUsageV1(files);
  const [oomKillCount = 0] = parseKeys(files.read('memory.oom_control') ?? EMPTY, OOM_KILL);
  const limitBytes = limitIn(files, 'memory.limit_in_bytes');
  const hits = ['memory.failcnt', 'memory.memsw.failcnt']
    .map((name) => counters(files, name, parseFirstNumber, limitBytes !== -1) ?? 0)
    .reduce((sum, count) => sum + count);
  return {
    usageBytes,
    workingSetBytes: Math.max(usageBytes - (stat[3] ?? 0), 0),
    cacheBytes: stat[0] ?? 0,
    peakBytes: numberIn(files, 'memory.max_usage_in_bytes'),
    swapBytes: stat[2] ?? 0,
    limitBytes,
    // When memory plus swap is as limited as memory, its limit is the one that is hit, and recent
    // kernels (seen: 6.18) do not count that. Each kill was at least one hit.
    limitHitCount: Math.max(hits, oomKillCount),
    oomKillCount,
    anonymousBytes: stat[1] ?? 0,
    highHitCount: 0,
    effectiveLimitBytes: stat[4] ?? -1,
  };
}

const V2_MEMORY = keysOf('anon', 'file', 'inactive_file');
const V2_MEMORY_EVENTS = keysOf('high', 'max', 'oom_kill');

/** Version 2: memory.*; memory.events counts groups below too. memory.peak came with Linux 5.19. */
export function memoryStatsV2(files: FigureFiles): MemoryStats {
  const stat = parseKeys(files.read('memory.stat') ?? EMPTY, V2_MEMORY);
  const events = parseKeys(files.read('memory.events') ?? EMPTY, V2_MEMORY_EVENTS);
  const usageBytes = memoryUsageV2(files);
  const limitBytes = limitIn(files, 'memory.max');
  return {
    usageBytes,
    workingSetBytes: Math.max(usageBytes - (stat[2] ?? 0), 0),
    cacheBytes: stat[1] ?? 0,
    peakBytes: numberIn(files, 'memory.peak'),
    swapBytes: numberIn(files, 'memory.swap.current'),
    limitBytes,
    limitHitCount: events[1] ?? 0,
    oomKillCount: events[2] ?? 0,
    anonymousBytes: stat[0] ?? 0,
    highHitCount: events[0] ?? 0,
    effectiveLimitBytes: smallerLimit(limitBytes, files.limitAbove('memory.max')),
  };
}

/** Memory in use alone, page cache included. */
export function memoryUsageV1(files: FigureFiles): number {
  return numberIn(files, 'memory.usage_in_bytes');
}

/** Memory in use alone, page cache included. */
export function memoryUsageV2(files: FigureFiles): number {
  return numberIn(files, 'memory.current');
}

const PIDS_EVENTS = keysOf('max');
const parsePidsEvents = (text: FileText): number => parseKeys(text, PIDS_EVENTS)[0] ?? 0;

/** pids.rst; pids.events came with Linux 4.8. */
export function pidsStatsV1(files: FigureFiles): PidsStats {
  return pidsStats(files, (isLimited) => pidsEvents(files, 'pids.events', isLimited));
}

/** cgroup-v2.rst; since Linux 6.11 pids.events counts what failed in groups below too. */
export function pidsStatsV2(files: FigureFiles): PidsStats {
  return pidsStats(
    files,
    (isLimited) =>
      pidsEvents(files, 'pids.events.local', isLimited) ??
      pidsEvents(files, 'pids.events', isLimited),
  );
}

/** pids.peak came with Linux 6.1. */
function pidsStats(
  files: FigureFiles,
  hitCount: (isLimited: boolean) => number | undefined,
): PidsStats {
  const limitCount = limitIn(files, 'pids.max');
  return {
    currentCount: numberIn(files, 'pids.current'),
    limitCount,
    limitHitCount: hitCount(limitCount !== -1) ?? 0,
    peakCount: numberIn(files, 'pids.peak'),
    effectiveLimitCount: smallerLimit(limitCount, files.limitAbove('pids.max')),
  };
}

function pidsEvents(files: FigureFiles, name: string, isLimited: boolean): number | undefined {
  return counters(files, name, parsePidsEvents, isLimited);
}

function microseconds(value = 0): Duration {
  return durationOf(value * NANOSECONDS_OF_MICROSECOND);
}

/** A limit; -1 for none. */
function limitIn(files: FigureFiles, name: string): number {
  return files.seldom(name, parseFirstNumber) ?? -1;
}

/** What counts how often a limit was in the way: it stands still while there is none. */
function counters<T>(
  files: FigureFiles,
  name: string,
  parse: (text: FileText) => T,
  isLimited: boolean,
): T | undefined {
  if (!isLimited) return files.seldom(name, parse);
  const text = files.read(name);
  return text && parse(text);
}

/** The number in a file; 0 if this kernel does not have it. */
function numberIn(files: FigureFiles, name: string): number {
  const text = files.read(name);
  return text === undefined ? 0 : parseFirstNumber(text);
}
