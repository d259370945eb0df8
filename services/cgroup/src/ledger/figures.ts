import { Usage } from '@teu/proto/cgroup';
import { durationOf } from '../domain/stats.js';

/** Figures that add up, as columns of the ledger. Times are in microseconds: 2^53 of them are 285 years. */
export const COUNTERS = {
  /** How long it has lasted, by a clock that nobody sets. */
  wallUs: 'wall_us',
  cpuUs: 'cpu_us',
  cpuUserUs: 'cpu_user_us',
  cpuSystemUs: 'cpu_system_us',
  throttledUs: 'throttled_us',
  throttledPeriods: 'throttled_periods',
  memoryByteSeconds: 'memory_byte_seconds',
  ioReadBytes: 'io_read_bytes',
  ioWriteBytes: 'io_write_bytes',
  ioReadCount: 'io_read_count',
  ioWriteCount: 'io_write_count',
  cpuPressureUs: 'cpu_pressure_us',
  memoryPressureUs: 'memory_pressure_us',
  ioPressureUs: 'io_pressure_us',
  oomKills: 'oom_kills',
} as const;

/** Figures of which the highest counts. */
export const PEAKS = { memoryPeak: 'memory_peak', pidsPeak: 'pids_peak' } as const;

export type CounterName = keyof typeof COUNTERS;
export type PeakName = keyof typeof PEAKS;
export type FigureName = CounterName | PeakName;

/** What a run has used since its start. Each figure only ever grows. */
export type Figures = Readonly<Record<FigureName, number>>;

export const COUNTER_NAMES = Object.keys(COUNTERS) as CounterName[];
export const PEAK_NAMES = Object.keys(PEAKS) as PeakName[];
export const FIGURE_NAMES: readonly FigureName[] = [...COUNTER_NAMES, ...PEAK_NAMES];
export const FIGURE_COLUMNS: readonly string[] = [
  ...Object.values(COUNTERS),
  ...Object.values(PEAKS),
];

/** Column list of a query that gives rows with the names of Figures. */
export const SELECT_FIGURES = [...Object.entries(COUNTERS), ...Object.entries(PEAKS)]
  .map(([name, column]) => `${column} AS ${name}`)
  .join(', ');

/** Makes figures by a rule for each. */
export function figuresOf(valueOf: (name: FigureName) => number): Figures {
  return Object.fromEntries(FIGURE_NAMES.map((name) => [name, valueOf(name)])) as Figures;
}

export const NO_FIGURES = figuresOf(() => 0);

/** Values in the order of FIGURE_COLUMNS. */
export function valuesOf(figures: Figures): number[] {
  return FIGURE_NAMES.map((name) => figures[name]);
}

/** The later of two states of one run: no figure goes back. */
export function later(one: Figures, other: Figures): Figures {
  return figuresOf((name) => Math.max(one[name], other[name]));
}

/** Figures of two runs together. */
export function sumOf(one: Figures, other: Figures): Figures {
  return figuresOf((name) =>
    isPeak(name) ? Math.max(one[name], other[name]) : one[name] + other[name],
  );
}

/** What grows while nothing happens. */
const BY_TIME: readonly FigureName[] = ['wallUs', 'memoryByteSeconds'];

/** Whether two states of one run differ in more than the time that passed between them. */
export function differ(one: Figures, other: Figures): boolean {
  return FIGURE_NAMES.some((name) => !BY_TIME.includes(name) && one[name] !== other[name]);
}

export function isPeak(name: FigureName): name is PeakName {
  return name in PEAKS;
}

/** Figures as the API has them. */
export function usageOf(figures: Figures, runCount = 1): Usage {
  const microseconds = (us: number) => durationOf(us * 1000);
  return Usage.create({
    wallDuration: microseconds(figures.wallUs),
    cpuDuration: microseconds(figures.cpuUs),
    cpuUserDuration: microseconds(figures.cpuUserUs),
    cpuSystemDuration: microseconds(figures.cpuSystemUs),
    throttledDuration: microseconds(figures.throttledUs),
    throttledPeriodCount: figures.throttledPeriods,
    memoryByteSeconds: figures.memoryByteSeconds,
    memoryPeakBytes: figures.memoryPeak,
    ioReadBytes: figures.ioReadBytes,
    ioWriteBytes: figures.ioWriteBytes,
    ioReadCount: figures.ioReadCount,
    ioWriteCount: figures.ioWriteCount,
    pidsPeakCount: figures.pidsPeak,
    cpuPressureDuration: microseconds(figures.cpuPressureUs),
    memoryPressureDuration: microseconds(figures.memoryPressureUs),
    ioPressureDuration: microseconds(figures.ioPressureUs),
    oomKillCount: figures.oomKills,
    runCount,
  });
}
