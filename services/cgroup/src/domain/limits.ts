/**
 * All limits of a group, each with a value: what the kernel enforces. -1 stands for none. The
 * defaults are those of a group that was just made.
 */
export interface Limits {
  readonly cpuShares: number;
  /** Microseconds per period. */
  readonly cpuQuota: number;
  /** Microseconds. */
  readonly cpuPeriod: number;
  /** Bytes. */
  readonly memory: number;
  /** Bytes, soft. */
  readonly memoryReservation: number;
  /** Bytes of memory plus swap. */
  readonly memorySwap: number;
  /** Tasks. */
  readonly pids: number;
}

export type LimitName = keyof Limits;

export const NO_LIMITS: Limits = {
  cpuShares: 1024,
  cpuQuota: -1,
  cpuPeriod: 100_000,
  memory: -1,
  memoryReservation: -1,
  memorySwap: -1,
  pids: -1,
};

export const LIMIT_NAMES = Object.keys(NO_LIMITS) as LimitName[];

/** Names of limits as requests and errors have them. */
export const FIELD_NAMES: Readonly<Record<LimitName, string>> = {
  cpuShares: 'resources.cpu.shares',
  cpuQuota: 'resources.cpu.quota',
  cpuPeriod: 'resources.cpu.period',
  memory: 'resources.memory.limit',
  memoryReservation: 'resources.memory.reservation',
  memorySwap: 'resources.memory.swap',
  pids: 'resources.pids.limit',
};

/** Tells whether two groups would be limited alike. */
export function sameLimits(a: Limits, b: Limits): boolean {
  return LIMIT_NAMES.every((name) => a[name] === b[name]);
}
