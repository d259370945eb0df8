import type { Usage } from '@teu/proto/cgroup';
import type { Duration } from '@teu/proto/google';
import { memorySize } from './for-people.js';

/** Seconds of a duration; 0 without one. */
export function secondsOf(duration: Duration | undefined): number {
  return duration === undefined ? 0 : duration.seconds + duration.nanos / 1e9;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** A length of time for a column: "350ms", "12.3s", "5m12s", "3h5m", "12d5h". */
export function shortSpan(seconds: number): string {
  if (seconds < 0.9995) return `${String(Math.round(seconds * 1000))}ms`;
  if (seconds < MINUTE) return `${String(Math.round(seconds * 10) / 10)}s`;
  if (seconds < HOUR) return inTwo(seconds, MINUTE, 'm', 1, 's');
  if (seconds < DAY) return inTwo(seconds, HOUR, 'h', MINUTE, 'm');
  return inTwo(seconds, DAY, 'd', HOUR, 'h');
}

function inTwo(seconds: number, large: number, one: string, small: number, other: string): string {
  const count = Math.floor(seconds / large);
  return `${String(count)}${one}${String(Math.floor((seconds - count * large) / small))}${other}`;
}

const GIB_HOUR = 1024 ** 3 * HOUR;

/** Memory times time for a column: "1.5 MiB·s", "12.3 GiB·h". */
export function memoryTime(byteSeconds: number): string {
  if (byteSeconds < GIB_HOUR / 10) return `${memorySize(byteSeconds)}·s`;
  return `${String(Number((byteSeconds / GIB_HOUR).toPrecision(3)))} GiB·h`;
}

/** Figures of a sum or a run, as columns of a table and of CSV. */
interface FigureColumn {
  /** Name in CSV, with the unit. */
  readonly name: string;
  readonly value: (usage: Usage) => number;
  /** Title and text in a table; not in it if absent. */
  readonly title?: string;
  readonly text?: (value: number) => string;
}

export const figureColumns: readonly FigureColumn[] = [
  column('wall_seconds', (usage) => secondsOf(usage.wallDuration), 'WALL', shortSpan),
  column('cpu_seconds', (usage) => secondsOf(usage.cpuDuration), 'CPU', shortSpan),
  column('cpu_user_seconds', (usage) => secondsOf(usage.cpuUserDuration)),
  column('cpu_system_seconds', (usage) => secondsOf(usage.cpuSystemDuration)),
  column('throttled_seconds', (usage) => secondsOf(usage.throttledDuration)),
  column('throttled_periods', (usage) => usage.throttledPeriodCount),
  column('memory_byte_seconds', (usage) => usage.memoryByteSeconds, 'MEMORY', memoryTime),
  column('memory_peak_bytes', (usage) => usage.memoryPeakBytes, 'PEAK', memorySize),
  column('io_read_bytes', (usage) => usage.ioReadBytes, 'READ', memorySize),
  column('io_write_bytes', (usage) => usage.ioWriteBytes, 'WRITTEN', memorySize),
  column('io_read_count', (usage) => usage.ioReadCount),
  column('io_write_count', (usage) => usage.ioWriteCount),
  column('pids_peak', (usage) => usage.pidsPeakCount),
  column('cpu_pressure_seconds', (usage) => secondsOf(usage.cpuPressureDuration)),
  column('memory_pressure_seconds', (usage) => secondsOf(usage.memoryPressureDuration)),
  column('io_pressure_seconds', (usage) => secondsOf(usage.ioPressureDuration)),
  column('oom_kills', (usage) => usage.oomKillCount, 'OOM', String),
];

function column(
  name: string,
  value: FigureColumn['value'],
  title?: string,
  text?: FigureColumn['text'],
): FigureColumn {
  return { name, value, ...(title !== undefined && text !== undefined && { title, text }) };
}

/** Titles of the figures in a table. */
export const figureTitles = figureColumns.flatMap(({ title }) => title ?? []);

/** Figures in a row of a table. */
export function figureCells(usage: Usage): string[] {
  return figureColumns.flatMap(({ value, text }) => text?.(value(usage)) ?? []);
}

/** Names of the figures in CSV. */
export const figureNames = figureColumns.map(({ name }) => name);

/** Figures in a row of CSV, in base units. */
export function figureValues(usage: Usage): string[] {
  return figureColumns.map(({ value }) => String(value(usage)));
}
