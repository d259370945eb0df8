import {
  address,
  boolean,
  defineConfig,
  durationMs,
  eventKeys,
  integer,
  oneOf,
  string,
  type Config,
  type Parser,
} from '@teu/config';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseMetricsAddress } from './metrics/metrics-address.js';
import { parsePressureThresholds, parseShare } from './watch/threshold-parsers.js';

const HOUR_MS = 3_600_000;

/** A span of time within bounds, both included. */
function spanBetween(least: string, most: string): Parser<number> {
  return (text) => {
    const ms = durationMs(text);
    if (ms >= durationMs(least) && ms <= durationMs(most)) return ms;
    throw new Error(`expected a duration from ${least} to ${most}`);
  };
}

/** A value that may be left away. */
const optional =
  <T>(parse: Parser<T>): Parser<T | undefined> =>
  (text) =>
    parse(text);

export const cgroupConfig = defineConfig({
  address: {
    env: 'TEU_CGROUP_ADDRESS',
    flag: '--address',
    parse: address,
    default: ({ runDir }) => `unix:${join(runDir, 'cgroup.sock')}`,
    doc: 'Where to serve',
  },
  node: {
    env: 'TEU_CGROUP_NODE',
    flag: '--node',
    parse: string,
    default: hostname(),
    doc: 'Name of this machine in the subjects of events',
  },
  metricsAddress: {
    env: 'TEU_CGROUP_METRICS_ADDRESS',
    flag: '--metrics-address',
    parse: optional(parseMetricsAddress),
    default: undefined,
    doc: 'Where metrics are served for Prometheus, 127.0.0.1:PORT; nowhere if it is not given',
  },
  usageCheckpoint: {
    env: 'TEU_CGROUP_USAGE_CHECKPOINT',
    flag: '--usage-checkpoint',
    parse: spanBetween('1s', '1h'),
    default: 10_000,
    doc: 'Time between two checkpoints of the usage ledger: what a power cut can lose of a run that has not ended',
  },
  usageKeep: {
    env: 'TEU_CGROUP_USAGE_KEEP',
    flag: '--usage-keep',
    parse: spanBetween('1h', '876000h'),
    default: 400 * 24 * HOUR_MS,
    doc: 'How long final records of the usage ledger are kept',
  },
  usageRecords: {
    env: 'TEU_CGROUP_USAGE_RECORDS',
    flag: '--usage-records',
    parse: integer({ min: 1000, max: 10_000_000 }),
    default: 250_000,
    doc: 'Most final records of the usage ledger that are kept; the oldest go first',
  },
  ...eventKeys('cgroup'),
  pressureThreshold: {
    env: 'TEU_CGROUP_PRESSURE_THRESHOLD',
    flag: '--pressure-threshold',
    parse: parsePressureThresholds,
    default: { memory: 20, io: 20, cpu: 0 },
    doc: 'Per cent of time, of two seconds, that tasks wait for a resource before it is told: memory=20,io=20,cpu=0; 0 is off',
  },
  pressureLevel: {
    env: 'TEU_CGROUP_PRESSURE_LEVEL',
    flag: '--pressure-level',
    parse: oneOf('off', 'low', 'medium', 'critical'),
    default: 'critical',
    doc: 'Memory pressure that is told where the kernel does not measure waiting (version 1 without version 2)',
  },
  kernelLog: {
    env: 'TEU_CGROUP_KERNEL_LOG',
    flag: '--kernel-log',
    parse: boolean,
    default: true,
    doc: 'Whether /dev/kmsg is read, which tells what was killed for want of memory and why',
  },
  throttleShare: {
    env: 'TEU_CGROUP_THROTTLE_SHARE',
    flag: '--throttle-share',
    parse: parseShare,
    default: 0.5,
    doc: 'Share of periods in which a quota of processor time is used up, from which on it is told; 0 is off',
  },
  throttleIntervalMs: {
    env: 'TEU_CGROUP_THROTTLE_INTERVAL',
    flag: '--throttle-interval',
    parse: durationMs,
    default: 5000,
    doc: 'How often groups with a quota of processor time are looked at',
  },
  eventWindowMs: {
    env: 'TEU_CGROUP_EVENT_WINDOW',
    flag: '--event-window',
    parse: spanBetween('0s', '1h'),
    default: 10_000,
    doc: 'What happens to a container again and again is told at most this often, the times in between together; 0s tells each time',
  },
});

export type CgroupConfig = Config<typeof cgroupConfig>;
