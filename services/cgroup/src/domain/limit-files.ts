import type { ControllerName } from './host.js';
import type { LimitName, Limits } from './limits.js';
import { blockIoWeightOf, ioWeightOf, sharesOfWeight, weightOfShares } from './weights.js';

/** One file of a group that holds a limit, or two. */
export interface LimitFile {
  readonly controller: ControllerName;
  readonly file: string;
  /** The limits that the file holds. */
  readonly limits: readonly LimitName[];
  /** What to write for these limits. */
  readonly format: (limits: Limits) => string;
  /** Whether this kernel, or its administrator, chooses what a new group has: then -1 stands for that. */
  readonly chosen?: boolean;
  /** Whether a new group has what the group above it has. */
  readonly copied?: boolean;
  /** What the file's text means; also given what was read so far. */
  readonly parse: (text: string, before: Partial<Limits>) => Partial<Limits>;
}

const MICROSECONDS_MAX = 'max';
/** Version 1 rounds limits of memory down to pages and says "none" by about 2^63. */
const PAGE_BYTES = 4096;
const MANY = Number.MAX_SAFE_INTEGER;

/** Rounds a limit of memory as the kernel does. */
export function wholePages(bytes: number): number {
  return bytes === -1 ? -1 : Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES;
}

/** Version 1 (kernel: Documentation/admin-guide/cgroup-v1), in the order in which a new group is limited. */
export const V1_LIMIT_FILES: readonly LimitFile[] = [
  plainNumber('cpu', 'cpu.shares', 'cpuShares'),
  plainNumber('cpu', 'cpu.cfs_period_us', 'cpuPeriod'),
  plainNumber('cpu', 'cpu.cfs_quota_us', 'cpuQuota'),
  plainNumber('cpu', 'cpu.cfs_burst_us', 'cpuBurst'),
  plainNumber('memory', 'memory.limit_in_bytes', 'memory'),
  plainNumber('memory', 'memory.memsw.limit_in_bytes', 'memorySwap'),
  plainNumber('memory', 'memory.soft_limit_in_bytes', 'memoryReservation'),
  { ...plainNumber('memory', 'memory.swappiness', 'swappiness'), chosen: true, copied: true },
  {
    ...plainNumber('memory', 'memory.oom_control', 'oomKillerOff'),
    copied: true,
    parse: (text) => ({ oomKillerOff: Number(/^(?:oom_kill_disable )?(\d)/.exec(text)?.[1] ?? 0) }),
  },
  weight('blkio', 'blkio.weight'),
  weight('blkio', 'blkio.bfq.weight'),
  numberOrMax('pids', 'pids.max', 'pids'),
];

/** Version 2 (kernel: Documentation/admin-guide/cgroup-v2.rst), conversions as OCI runtimes do them. */
export const V2_LIMIT_FILES: readonly LimitFile[] = [
  {
    controller: 'cpu',
    file: 'cpu.weight',
    limits: ['cpuShares'],
    format: ({ cpuShares }) => String(weightOfShares(cpuShares)),
    parse: (text) => ({ cpuShares: sharesOfWeight(Number(text)) }),
  },
  {
    controller: 'cpu',
    file: 'cpu.max',
    limits: ['cpuQuota', 'cpuPeriod'],
    format: ({ cpuQuota, cpuPeriod }) =>
      `${cpuQuota === -1 ? MICROSECONDS_MAX : cpuQuota} ${cpuPeriod}`,
    parse: (text) => {
      const [quota = '', period = ''] = text.trim().split(' ');
      return { cpuQuota: numberOf(quota), cpuPeriod: numberOf(period) };
    },
  },
  plainNumber('cpu', 'cpu.max.burst', 'cpuBurst'),
  numberOrMax('memory', 'memory.max', 'memory'),
  {
    controller: 'memory',
    file: 'memory.swap.max',
    limits: ['memorySwap'],
    format: ({ memory, memorySwap }) =>
      memorySwap === -1 ? 'max' : String(wholePages(memorySwap) - wholePages(memory)),
    parse: (text, { memory = -1 }) => {
      const swap = numberOf(text.trim());
      return { memorySwap: swap === -1 || memory === -1 ? -1 : memory + swap };
    },
  },
  {
    ...numberOrMax('memory', 'memory.low', 'memoryReservation'),
    // The other way round than a limit: 0 protects nothing.
    format: ({ memoryReservation }) => String(Math.max(memoryReservation, 0)),
    parse: (text) => ({ memoryReservation: numberOf(text.trim()) || -1 }),
  },
  numberOrMax('memory', 'memory.high', 'memoryHigh'),
  weight('io', 'io.bfq.weight'),
  {
    ...weight('io', 'io.weight'),
    format: ({ blockIoWeight }) => String(ioWeightOf(blockIoWeight)),
    parse: (text) => ({ blockIoWeight: blockIoWeightOf(defaultOf(text)) }),
  },
  numberOrMax('pids', 'pids.max', 'pids'),
];

/** Of the files that can hold a weight the first that a host has is used. */
function weight(controller: ControllerName, file: string): LimitFile {
  return {
    ...plainNumber(controller, file, 'blockIoWeight'),
    chosen: true,
    parse: (text) => ({ blockIoWeight: defaultOf(text) }),
  };
}

/** Reads "100", or "default 100" with lines for single devices after it. */
function defaultOf(text: string): number {
  return Number(/^(?:default )?(\d+)/.exec(text)?.[1]);
}

function plainNumber(controller: ControllerName, file: string, name: LimitName): LimitFile {
  return {
    controller,
    file,
    limits: [name],
    format: (limits) => String(limits[name]),
    parse: (text) => ({ [name]: numberOf(text.trim()) }),
  };
}

function numberOrMax(controller: ControllerName, file: string, name: LimitName): LimitFile {
  return {
    ...plainNumber(controller, file, name),
    format: (limits) => (limits[name] === -1 ? 'max' : String(limits[name])),
  };
}

/** Reads a number; -1 for "max" and for what no machine can reach. */
function numberOf(text: string): number {
  const value = Number(text);
  return text === 'max' || value > MANY ? -1 : value;
}
