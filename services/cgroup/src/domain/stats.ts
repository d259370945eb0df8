import type { CpuStats, IoStats, MemoryStats, PidsStats } from '@teu/proto/cgroup';
import type { Duration } from '@teu/proto/google';
import { parseKeyed, parseNumber } from './keyed-file.js';

/** Reads a file of a group by its name; undefined if this kernel does not have it. */
export type ReadFile = (name: string) => string | undefined;

const NANOSECONDS = 1_000_000_000;

/** Makes a duration of the API. */
export function durationOf(nanoseconds: number): Duration {
  const seconds = Math.floor(nanoseconds / NANOSECONDS);
  return { seconds, nanos: Math.round(nanoseconds - seconds * NANOSECONDS) };
}

/** Version 1 (cpuacct.rst, and cpu.stat of the CFS bandwidth control). Both controllers' files. */
export function cpuStatsV1(read: ReadFile): CpuStats {
  const throttling = parseKeyed(read('cpu.stat') ?? '');
  return {
    usageDuration: durationOf(numberIn(read, 'cpuacct.usage')),
    userDuration: durationOf(numberIn(read, 'cpuacct.usage_user')),
    systemDuration: durationOf(numberIn(read, 'cpuacct.usage_sys')),
    throttledPeriodCount: throttling.get('nr_throttled') ?? 0,
    throttledDuration: durationOf(throttling.get('throttled_time') ?? 0),
    periodCount: throttling.get('nr_periods') ?? 0,
  };
}

/** Version 2: cpu.stat, in microseconds. */
export function cpuStatsV2(read: ReadFile): CpuStats {
  const stat = parseKeyed(read('cpu.stat') ?? '');
  const duration = (key: string): Duration => durationOf((stat.get(key) ?? 0) * 1000);
  return {
    usageDuration: duration('usage_usec'),
    userDuration: duration('user_usec'),
    systemDuration: duration('system_usec'),
    throttledPeriodCount: stat.get('nr_throttled') ?? 0,
    throttledDuration: duration('throttled_usec'),
    periodCount: stat.get('nr_periods') ?? 0,
  };
}

/** Version 1 (memory.rst). The "total_" figures include groups below. */
export function memoryStatsV1(read: ReadFile): MemoryStats {
  const stat = parseKeyed(read('memory.stat') ?? '');
  const usageBytes = numberIn(read, 'memory.usage_in_bytes');
  const oomKillCount = parseKeyed(read('memory.oom_control') ?? '').get('oom_kill') ?? 0;
  const hits = numberIn(read, 'memory.failcnt') + numberIn(read, 'memory.memsw.failcnt');
  return {
    usageBytes,
    workingSetBytes: Math.max(usageBytes - (stat.get('total_inactive_file') ?? 0), 0),
    cacheBytes: stat.get('total_cache') ?? 0,
    peakBytes: numberIn(read, 'memory.max_usage_in_bytes'),
    swapBytes: stat.get('total_swap') ?? 0,
    limitBytes: numberIn(read, 'memory.limit_in_bytes'),
    // When memory plus swap is as limited as memory, its limit is the one that is hit, and recent
    // kernels (seen: 6.18) do not count that. Each kill was at least one hit.
    limitHitCount: Math.max(hits, oomKillCount),
    oomKillCount,
    anonymousBytes: stat.get('total_rss') ?? 0,
    highHitCount: 0,
  };
}

/** Version 2: memory.*; memory.events counts groups below too. memory.peak came with Linux 5.19. */
export function memoryStatsV2(read: ReadFile): MemoryStats {
  const stat = parseKeyed(read('memory.stat') ?? '');
  const events = parseKeyed(read('memory.events') ?? '');
  const usageBytes = numberIn(read, 'memory.current');
  return {
    usageBytes,
    workingSetBytes: Math.max(usageBytes - (stat.get('inactive_file') ?? 0), 0),
    cacheBytes: stat.get('file') ?? 0,
    peakBytes: numberIn(read, 'memory.peak'),
    swapBytes: numberIn(read, 'memory.swap.current'),
    limitBytes: parseNumber(read('memory.max') ?? 'max'),
    limitHitCount: events.get('max') ?? 0,
    oomKillCount: events.get('oom_kill') ?? 0,
    anonymousBytes: stat.get('anon') ?? 0,
    highHitCount: events.get('high') ?? 0,
  };
}

/** Both versions (pids.rst); pids.events came with Linux 4.8. */
export function pidsStats(read: ReadFile): PidsStats {
  return {
    currentCount: numberIn(read, 'pids.current'),
    limitCount: parseNumber(read('pids.max') ?? 'max'),
    limitHitCount: parseKeyed(read('pids.events') ?? '').get('max') ?? 0,
    peakCount: numberIn(read, 'pids.peak'),
  };
}

/** Version 1 (blkio-controller.rst): lines "8:0 Read 4096", one set a device, groups below included. */
export function ioStatsV1(read: ReadFile): IoStats {
  const bytes = operationsIn(read, 'blkio.throttle.io_service_bytes');
  const counts = operationsIn(read, 'blkio.throttle.io_serviced');
  return {
    readBytes: bytes.read,
    writeBytes: bytes.write,
    readCount: counts.read,
    writeCount: counts.write,
    devices: [],
  };
}

/** Version 2: io.stat, lines "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0". */
export function ioStatsV2(read: ReadFile): IoStats {
  const text = read('io.stat') ?? '';
  const sum = (key: string): number =>
    [...text.matchAll(new RegExp(`\\b${key}=(\\d+)`, 'g'))].reduce((n, m) => n + Number(m[1]), 0);
  return {
    readBytes: sum('rbytes'),
    writeBytes: sum('wbytes'),
    readCount: sum('rios'),
    writeCount: sum('wios'),
    devices: [],
  };
}

function operationsIn(read: ReadFile, name: string): { read: number; write: number } {
  const sums = { read: 0, write: 0 };
  for (const line of (read(`${name}_recursive`) ?? read(name) ?? '').split('\n')) {
    const [, operation, value] = line.split(' ');
    if (operation === 'Read') sums.read += Number(value);
    if (operation === 'Write') sums.write += Number(value);
  }
  return sums;
}

function numberIn(read: ReadFile, name: string): number {
  return parseNumber(read(name) ?? '0');
}
