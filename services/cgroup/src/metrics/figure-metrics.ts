import type { IoStats, Pressure, Stats } from '@teu/proto/cgroup';
import type { Duration } from '@teu/proto/google';
import { labelText, type MetricType, type Sample } from './exposition.js';

/** A metric of containers and of groups: what follows `teu_container_` or `teu_group_`. */
export interface FigureMetric {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** Its values for one container; those that are not measured are left out. Labels are beside those of the container. */
  readonly samples: (stats: Stats) => Sample[];
}

/** A metric with one value; undefined if it is not measured. */
function single(
  name: string,
  type: MetricType,
  help: string,
  valueOf: (stats: Stats) => number | undefined,
): FigureMetric {
  const samples = (stats: Stats): Sample[] => {
    const value = valueOf(stats);
    return value === undefined ? [] : [{ labels: '', value }];
  };
  return { name, type, help, samples };
}

const seconds = (duration: Duration | undefined): number | undefined =>
  duration && duration.seconds + duration.nanos / 1e9;

/** A limit; absent if there is none. */
const limit = (value: number | undefined): number | undefined => (value === -1 ? undefined : value);

const cpu: readonly FigureMetric[] = [
  single('cpu_usage_seconds_total', 'counter', 'Processor time, user and system.', (stats) =>
    seconds(stats.cpu?.usageDuration),
  ),
  {
    name: 'cpu_seconds_total',
    type: 'counter',
    help: 'Processor time by mode, as the kernel shares it out.',
    samples: ({ cpu: part }) =>
      part === undefined
        ? []
        : [
            { labels: 'mode="user"', value: seconds(part.userDuration) ?? 0 },
            { labels: 'mode="system"', value: seconds(part.systemDuration) ?? 0 },
          ],
  },
  single(
    'cpu_periods_total',
    'counter',
    'Periods with a quota.',
    ({ cpu: part }) => part?.periodCount,
  ),
  single(
    'cpu_throttled_periods_total',
    'counter',
    'Periods in which the quota was used up.',
    ({ cpu: part }) => part?.throttledPeriodCount,
  ),
  single('cpu_throttled_seconds_total', 'counter', 'Time spent waiting for quota.', (stats) =>
    seconds(stats.cpu?.throttledDuration),
  ),
];

const memory: readonly FigureMetric[] = [
  single(
    'memory_usage_bytes',
    'gauge',
    'Memory in use, page cache included.',
    (stats) => stats.memory?.usageBytes,
  ),
  single(
    'memory_working_set_bytes',
    'gauge',
    'Memory in use without inactive page cache.',
    (stats) => stats.memory?.workingSetBytes,
  ),
  single('memory_cache_bytes', 'gauge', 'Page cache.', (stats) => stats.memory?.cacheBytes),
  single(
    'memory_anonymous_bytes',
    'gauge',
    'Memory that no file is behind.',
    (stats) => stats.memory?.anonymousBytes,
  ),
  single('memory_swap_bytes', 'gauge', 'Swap in use.', (stats) => stats.memory?.swapBytes),
  single(
    'memory_peak_bytes',
    'gauge',
    'Most memory that was ever in use.',
    (stats) => stats.memory?.peakBytes,
  ),
  single('memory_limit_bytes', 'gauge', 'Limit of memory; absent if there is none.', (stats) =>
    limit(stats.memory?.limitBytes),
  ),
  single(
    'memory_effective_limit_bytes',
    'gauge',
    'Smallest limit of memory, its own or of a group above; absent if there is none.',
    (stats) => limit(stats.memory?.effectiveLimitBytes),
  ),
  single(
    'memory_limit_hits_total',
    'counter',
    'Times that the limit of memory was hit.',
    (stats) => stats.memory?.limitHitCount,
  ),
  single(
    'memory_high_hits_total',
    'counter',
    'Times that it was slowed down for its memory.',
    (stats) => stats.memory?.highHitCount,
  ),
  single(
    'oom_kills_total',
    'counter',
    'Processes that the kernel killed for want of memory.',
    (stats) => stats.memory?.oomKillCount,
  ),
];

const pids: readonly FigureMetric[] = [
  single('pids', 'gauge', 'Tasks.', (stats) => stats.pids?.currentCount),
  single(
    'pids_peak',
    'gauge',
    'Most tasks that there ever were.',
    (stats) => stats.pids?.peakCount,
  ),
  single('pids_limit', 'gauge', 'Limit of tasks; absent if there is none.', (stats) =>
    limit(stats.pids?.limitCount),
  ),
  single(
    'pids_limit_hits_total',
    'counter',
    'Forks that failed at the limit of tasks.',
    (stats) => stats.pids?.limitHitCount,
  ),
];

type DeviceFigures = IoStats['devices'][number];

function perDevice(
  name: string,
  help: string,
  read: (device: DeviceFigures) => number,
  write: (device: DeviceFigures) => number,
): FigureMetric {
  const samples = ({ io }: Stats): Sample[] =>
    (io?.devices ?? []).flatMap((device) => {
      const numbers = `${String(device.major)}:${String(device.minor)}`;
      return [
        { labels: labelText({ device: numbers, operation: 'read' }), value: read(device) },
        { labels: labelText({ device: numbers, operation: 'write' }), value: write(device) },
      ];
    });
  return { name, type: 'counter', help, samples };
}

const io: readonly FigureMetric[] = [
  perDevice(
    'io_bytes_total',
    'Bytes read from and written to block devices.',
    ({ readBytes }) => readBytes,
    ({ writeBytes }) => writeBytes,
  ),
  perDevice(
    'io_operations_total',
    'Operations on block devices.',
    ({ readCount }) => readCount,
    ({ writeCount }) => writeCount,
  ),
];

const pressure: FigureMetric = {
  name: 'pressure_seconds_total',
  type: 'counter',
  help: 'Time in which some or all tasks waited for a resource.',
  samples: ({ pressure: parts }) =>
    (['cpu', 'memory', 'io'] as const).flatMap((resource) => waits(resource, parts?.[resource])),
};

function waits(resource: string, waited: Pressure | undefined): Sample[] {
  return (['some', 'full'] as const).flatMap((tasks) => {
    const value = seconds(waited?.[tasks]?.totalDuration);
    return value === undefined ? [] : [{ labels: labelText({ resource, tasks }), value }];
  });
}

/** All metrics of containers and of groups, in the order of the text. */
export const FIGURE_METRICS: readonly FigureMetric[] = [
  ...cpu,
  ...memory,
  ...pids,
  ...io,
  pressure,
];
