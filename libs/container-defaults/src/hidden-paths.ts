import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Kernel interfaces that tell about the host or act on it, whoever reads or writes them. */
const MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

/** Paths that a container sees and cannot change. */
export const DEFAULT_READONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

let forThisMachine: readonly string[] | undefined;

/**
 * Paths that are hidden in a container: a fixed list, and for each processor that has it the thermal_throttle
 * directory, whose counters let containers observe each other. Read once from sysfs.
 */
export function defaultMaskedPaths(): readonly string[] {
  forThisMachine ??= maskedPathsFor('/sys/devices/system/cpu');
  return forThisMachine;
}

/** The same for a given `cpu` directory of sysfs. */
export function maskedPathsFor(cpuDirectory: string): readonly string[] {
  const throttles = possibleProcessors(cpuDirectory)
    .filter((number) => existsSync(join(cpuDirectory, `cpu${number}`, 'thermal_throttle')))
    .map((number) => `/sys/devices/system/cpu/cpu${number}/thermal_throttle`);
  return [...MASKED_PATHS, ...throttles];
}

/** Reads the `possible` list, for example "0-3,8" (Documentation/admin-guide/cputopology.rst). */
function possibleProcessors(cpuDirectory: string): number[] {
  const path = join(cpuDirectory, 'possible');
  if (!existsSync(path)) return [];
  const ranges = readFileSync(path, 'latin1').trim().split(',');
  return ranges.flatMap((range) => {
    const [first = NaN, last = first] = range.split('-').map(Number);
    if (!Number.isInteger(first) || !Number.isInteger(last)) return [];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
