import type { LimitName, Limits } from '../../domain/limits.js';
import type { HostLimitFile } from './host-limit-files.js';

/**
 * Orders writes so that the kernel never sees a forbidden state in between. Version 1 wants memory
 * not above memory plus swap at all times: what grows there is written first. A quota is checked
 * against its period as a ratio: whichever makes the share smaller goes first. What may be saved up is
 * never more than the quota.
 */
export function inSafeOrder(
  files: readonly HostLimitFile[],
  before: Limits,
  after: Limits,
): readonly HostLimitFile[] {
  const order = [...files];
  if (isAbove(after.memorySwap, before.memorySwap)) putBefore(order, 'memorySwap', 'memory');
  if (after.cpuPeriod < before.cpuPeriod) putBefore(order, 'cpuQuota', 'cpuPeriod');
  if (after.cpuBurst < before.cpuBurst) putBefore(order, 'cpuBurst', 'cpuQuota');
  return order;
}

/** Moves the file of one limit to just before that of another, if both are there. */
function putBefore(order: HostLimitFile[], first: LimitName, second: LimitName): void {
  const from = order.findIndex(({ limits }) => limits.includes(first));
  const to = order.findIndex(({ limits }) => limits.includes(second));
  if (from > to && to >= 0) order.splice(to, 0, ...order.splice(from, 1));
}

/** Compares limits of which -1 is the highest. */
function isAbove(a: number, b: number): boolean {
  return b !== -1 && (a === -1 || a > b);
}
