/**
 * All limits of a group that are a number, each with a value: what the kernel enforces. -1 stands for none. The
 * defaults are those of a group that was just made.
 */
export interface Limits {
  readonly cpuShares: number;
  /** Microseconds per period. */
  readonly cpuQuota: number;
  /** Microseconds. */
  readonly cpuPeriod: number;
  /** Microseconds. */
  readonly cpuBurst: number;
  /** Bytes. */
  readonly memory: number;
  /** Bytes, soft. */
  readonly memoryReservation: number;
  /** Bytes of memory plus swap. */
  readonly memorySwap: number;
  /** Bytes above which it is slowed down. */
  readonly memoryHigh: number;
  /** 0 to 100; -1 for the parent's. */
  readonly swappiness: number;
  /** 1 for processes that wait at the limit, 0 for ones that are killed. */
  readonly oomKillerOff: number;
  /** 10 to 1000; -1 for the kernel's default. */
  readonly blockIoWeight: number;
  /** Tasks. */
  readonly pids: number;
}

export type LimitName = keyof Limits;

export const NO_LIMITS: Limits = {
  cpuShares: 1024,
  cpuQuota: -1,
  cpuPeriod: 100_000,
  cpuBurst: 0,
  memory: -1,
  memoryReservation: -1,
  memorySwap: -1,
  memoryHigh: -1,
  swappiness: -1,
  oomKillerOff: 0,
  blockIoWeight: -1,
  pids: -1,
};

export const LIMIT_NAMES = Object.keys(NO_LIMITS) as LimitName[];

/** Names of limits as requests and errors have them. */
export const FIELD_NAMES: Readonly<Record<LimitName, string>> = {
  cpuShares: 'resources.cpu.shares',
  cpuQuota: 'resources.cpu.quota',
  cpuPeriod: 'resources.cpu.period',
  cpuBurst: 'resources.cpu.burst',
  memory: 'resources.memory.limit',
  memoryReservation: 'resources.memory.reservation',
  memorySwap: 'resources.memory.swap',
  memoryHigh: 'resources.memory.high',
  swappiness: 'resources.memory.swappiness',
  oomKillerOff: 'resources.memory.disable_oom_killer',
  blockIoWeight: 'resources.block_io.weight',
  pids: 'resources.pids.limit',
};
