import { teuError } from '@teu/errors';
import type { LinuxResources } from '@teu/proto/type';
import { FIELD_NAMES, LIMIT_NAMES, NO_LIMITS, type LimitName, type Limits } from './limits.js';

/** The numbers that a request asks for; what it does not mention is absent. */
export type RequestedLimits = Partial<Limits>;

interface Range {
  readonly min: number;
  readonly max: number;
  readonly orNone: boolean;
}

const MANY = Number.MAX_SAFE_INTEGER;
const bytes: Range = { min: 1, max: MANY, orNone: true };

/** Bounds of what can make sense on any host; the kernel's own, from its documentation. */
const RANGES: Readonly<Record<LimitName, Range>> = {
  cpuShares: { min: 2, max: 262_144, orNone: false },
  cpuQuota: { min: 1000, max: MANY, orNone: true },
  cpuPeriod: { min: 1000, max: 1_000_000, orNone: false },
  cpuBurst: { min: 0, max: MANY, orNone: false },
  memory: bytes,
  memoryReservation: bytes,
  memorySwap: bytes,
  memoryHigh: bytes,
  swappiness: { min: 0, max: 100, orNone: false },
  oomKillerOff: { min: 0, max: 1, orNone: false },
  blockIoWeight: { min: 10, max: 1000, orNone: false },
  pids: { min: 1, max: MANY, orNone: true },
};

/**
 * Takes the limits that are numbers out of a request.
 *
 * @throws INVALID_ARGUMENT naming the field that can never be right
 */
export function requestedLimits({ cpu, memory, pids, blockIo }: LinuxResources): RequestedLimits {
  const off = memory?.disableOomKiller;
  const values: { [K in LimitName]: number | undefined } = {
    cpuShares: cpu?.shares,
    cpuQuota: cpu?.quota,
    cpuPeriod: cpu?.period,
    cpuBurst: cpu?.burst,
    memory: memory?.limit,
    memoryReservation: memory?.reservation,
    memorySwap: memory?.swap,
    memoryHigh: memory?.high,
    swappiness: memory?.swappiness,
    oomKillerOff: off === undefined ? undefined : Number(off),
    blockIoWeight: blockIo?.weight,
    pids: pids?.limit,
  };
  const requested: { -readonly [K in LimitName]?: number } = {};
  for (const name of LIMIT_NAMES) {
    const value = values[name];
    if (value === undefined) continue;
    checkRange(name, value);
    requested[name] = value;
  }
  return requested;
}

function checkRange(name: LimitName, value: number): void {
  const { min, max, orNone } = RANGES[name];
  if ((orNone && value === -1) || (value >= min && value <= max)) return;
  const none = orNone ? ', or -1 for no limit' : '';
  const upper = max === MANY ? 'or more' : `to ${max}`;
  throw invalid(name, `${FIELD_NAMES[name]} is ${value}; it must be ${min} ${upper}${none}`);
}

/**
 * Fills in what a request leaves open, as docker does: memory plus swap is twice the memory limit
 * where the host can limit swap, and the rest is not limited.
 *
 * @param current - What is in force; for a new group the kernel's defaults.
 * @param canLimitSwap - Whether the host counts swap.
 * @throws INVALID_ARGUMENT if limits contradict each other
 */
export function completeLimits(
  requested: RequestedLimits,
  current: Limits,
  canLimitSwap: boolean,
): Limits {
  const limits = { ...current, ...requested };
  const isFirst = current.memory === -1 && current.memorySwap === -1;
  if (requested.memorySwap === undefined && isFirst && canLimitSwap && limits.memory !== -1) {
    limits.memorySwap = limits.memory * 2;
  }
  // Without a memory limit there can be none of memory plus swap that means anything.
  if (requested.memory === -1 && requested.memorySwap === undefined) limits.memorySwap = -1;
  // Nor can time be saved up where there is no quota.
  if (requested.cpuQuota === -1 && requested.cpuBurst === undefined) limits.cpuBurst = 0;
  checkTogether(limits);
  return limits;
}

function checkTogether(limits: Limits): void {
  const { memory, memorySwap, memoryReservation, cpuQuota, cpuBurst } = limits;
  if (memorySwap !== -1 && memory === -1) {
    throw invalid('memorySwap', `${FIELD_NAMES.memorySwap} needs ${FIELD_NAMES.memory}`);
  }
  if (memorySwap !== -1 && memorySwap < memory) {
    const text = `${FIELD_NAMES.memorySwap} is memory plus swap and must not be below ${FIELD_NAMES.memory}`;
    throw invalid('memorySwap', text);
  }
  if (memoryReservation !== -1 && memory !== -1 && memoryReservation > memory) {
    const text = `${FIELD_NAMES.memoryReservation} must not be above ${FIELD_NAMES.memory}`;
    throw invalid('memoryReservation', text);
  }
  if (cpuBurst > 0 && (cpuQuota === -1 || cpuBurst > cpuQuota)) {
    const text = `${FIELD_NAMES.cpuBurst} needs ${FIELD_NAMES.cpuQuota} and must not be above it`;
    throw invalid('cpuBurst', text);
  }
}

/** Says which numbers are limited: those that are as in a new group are left out. */
export function limitedOnly(limits: Limits): RequestedLimits {
  const set = LIMIT_NAMES.filter((name) => limits[name] !== NO_LIMITS[name]);
  return Object.fromEntries(set.map((name) => [name, limits[name]]));
}

function invalid(name: LimitName, message: string): Error {
  return teuError('INVALID_ARGUMENT', message, { metadata: { field: FIELD_NAMES[name] } });
}
