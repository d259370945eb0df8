import { teuError } from '@teu/errors';
import { LinuxResources } from '@teu/proto/type';
import { FIELD_NAMES, LIMIT_NAMES, NO_LIMITS, type LimitName, type Limits } from './limits.js';

/** What a request asks for; what it does not mention is absent. */
export type RequestedLimits = Partial<Limits>;

/** Bounds of what can make sense on any host; the kernel's own, from its documentation. */
const RANGES: Readonly<Record<LimitName, { min: number; max: number; orNone: boolean }>> = {
  cpuShares: { min: 2, max: 262_144, orNone: false },
  cpuQuota: { min: 1000, max: Number.MAX_SAFE_INTEGER, orNone: true },
  cpuPeriod: { min: 1000, max: 1_000_000, orNone: false },
  memory: { min: 1, max: Number.MAX_SAFE_INTEGER, orNone: true },
  memoryReservation: { min: 1, max: Number.MAX_SAFE_INTEGER, orNone: true },
  memorySwap: { min: 1, max: Number.MAX_SAFE_INTEGER, orNone: true },
  pids: { min: 1, max: Number.MAX_SAFE_INTEGER, orNone: true },
};

/**
 * Takes the limits out of a request.
 *
 * @throws INVALID_ARGUMENT naming the field that can never be right
 */
export function requestedLimits(resources: LinuxResources | undefined): RequestedLimits {
  const values: { [K in LimitName]: number | undefined } = {
    cpuShares: resources?.cpu?.shares,
    cpuQuota: resources?.cpu?.quota,
    cpuPeriod: resources?.cpu?.period,
    memory: resources?.memory?.limit,
    memoryReservation: resources?.memory?.reservation,
    memorySwap: resources?.memory?.swap,
    pids: resources?.pids?.limit,
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
  const upper = max === Number.MAX_SAFE_INTEGER ? 'or more' : `to ${max}`;
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
  checkTogether(limits);
  return limits;
}

function checkTogether({ memory, memorySwap, memoryReservation }: Limits): void {
  if (memorySwap !== -1 && memory === -1) {
    throw invalid('memorySwap', `${FIELD_NAMES.memorySwap} needs ${FIELD_NAMES.memory}`);
  }
  if (memorySwap !== -1 && memorySwap < memory) {
    throw invalid(
      'memorySwap',
      `${FIELD_NAMES.memorySwap} is memory plus swap and must not be below ${FIELD_NAMES.memory}`,
    );
  }
  if (memoryReservation !== -1 && memory !== -1 && memoryReservation > memory) {
    throw invalid(
      'memoryReservation',
      `${FIELD_NAMES.memoryReservation} must not be above ${FIELD_NAMES.memory}`,
    );
  }
}

/** Describes limits as the API does: what is not limited is absent. */
export function resourcesOf(limits: Limits): LinuxResources {
  const set = (name: LimitName): number | undefined =>
    limits[name] === NO_LIMITS[name] ? undefined : limits[name];
  const cpu = { shares: set('cpuShares'), quota: set('cpuQuota'), period: set('cpuPeriod') };
  const memory = {
    limit: set('memory'),
    reservation: set('memoryReservation'),
    swap: set('memorySwap'),
  };
  const pids = { limit: set('pids') };
  return LinuxResources.create({
    cpu: anySet(cpu) ? cpu : undefined,
    memory: anySet(memory) ? memory : undefined,
    pids: anySet(pids) ? pids : undefined,
  });
}

function anySet(part: object): boolean {
  return Object.values(part).some((value) => value !== undefined);
}

function invalid(name: LimitName, message: string): Error {
  return teuError('INVALID_ARGUMENT', message, { metadata: { field: FIELD_NAMES[name] } });
}
