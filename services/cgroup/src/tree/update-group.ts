import type { LimitName, Limits } from '../domain/limits.js';
import { completeLimits, type RequestedLimits } from '../domain/requested-limits.js';
import type { CgroupTree, HostLimitFile } from './cgroup-tree.js';
import {
  canLimit,
  changedFiles,
  checkSupported,
  inForce,
  makeRoom,
  readLimits,
  writeLimit,
} from './group-limits.js';

/**
 * Changes limits of a group; what the request does not mention stays. If one cannot be set, those
 * set before it are set back.
 *
 * @returns The limits in force.
 * @throws RESOURCE_UNSUPPORTED, INVALID_ARGUMENT, INVALID_STATE if more is in use than allowed
 */
export function updateGroup(tree: CgroupTree, id: string, requested: RequestedLimits): Limits {
  checkSupported(tree, requested);
  const before = readLimits(tree, id);
  const after = completeLimits(requested, before, canLimit(tree, 'memorySwap'));
  const files = changedFiles(tree, before, inForce(tree, after));
  const done: HostLimitFile[] = [];
  try {
    for (const file of inSafeOrder(files, before, after)) {
      makeRoom(tree, id, file, after);
      writeLimit(tree, id, file, after);
      done.push(file);
    }
  } catch (error) {
    for (const file of done.reverse()) writeLimit(tree, id, file, before);
    throw error;
  }
  return readLimits(tree, id);
}

/**
 * Orders writes so that the kernel never sees a forbidden state in between. Version 1 wants memory
 * not above memory plus swap at all times: what grows there is written first. A quota is checked
 * against its period as a ratio: whichever makes the share smaller goes first.
 */
function inSafeOrder(
  files: readonly HostLimitFile[],
  before: Limits,
  after: Limits,
): readonly HostLimitFile[] {
  const order = [...files];
  if (isAbove(after.memorySwap, before.memorySwap)) putBefore(order, 'memorySwap', 'memory');
  if (after.cpuPeriod < before.cpuPeriod) putBefore(order, 'cpuQuota', 'cpuPeriod');
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
