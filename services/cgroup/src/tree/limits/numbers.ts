import { dirname } from 'node:path';
import type { LinuxResources } from '@teu/proto/type';
import { wholePages } from '../../domain/limit-files.js';
import {
  FIELD_NAMES,
  LIMIT_NAMES,
  NO_LIMITS,
  type LimitName,
  type Limits,
} from '../../domain/limits.js';
import {
  completeLimits,
  limitedOnly,
  requestedLimits,
  type RequestedLimits,
} from '../../domain/requested-limits.js';
import type { CgroupTree } from '../cgroup-tree.js';
import { readGroupFile } from '../group-files.js';
import type { HostLimitFile } from './host-limit-files.js';
import { followersOf } from './followers.js';
import { inUse, type GroupWrite } from './group-write.js';
import { unsupported, type LimitFamily, type ResourcesPart } from './limit-family.js';
import { reclaimMemory } from './reclaim-memory.js';
import { inSafeOrder } from './write-order.js';

/** Limits for which memory is freed; version 2 would kill for memory.max. */
const SLOW: ReadonlyMap<string, GroupWrite['slow']> = new Map([
  ['memory.limit_in_bytes', 'frees'],
  ['memory.memsw.limit_in_bytes', 'frees'],
  ['memory.high', 'frees'],
  ['memory.max', 'frees first'],
]);

/** Limits that are one number each. */
export const numbers: LimitFamily = {
  planNew(tree, id, resources) {
    const requested = requestedHere(tree, resources);
    const initial = limitsOfNew(tree, id);
    const limits = completeLimits(requested, initial, canLimit(tree, 'memorySwap'));
    const files = changedFiles(tree, initial, limits);
    return {
      writes: files.map((file) => writeOf(file, limits)),
      inForce: partOf(inForce(tree, limits)),
    };
  },

  planChange(tree, id, resources, rest) {
    const requested = requestedHere(tree, resources);
    if (rest === 'stays' && Object.keys(requested).length === 0) return [];
    const before = readNumbers(tree, id);
    const base = rest === 'stays' ? before : limitsOfNew(tree, id);
    const after =
      rest === 'unlimited'
        ? { ...base, ...requested }
        : completeLimits(requested, base, canLimit(tree, 'memorySwap'));
    // A group that stays idle takes no weight.
    const isIdle = resources.unified['cpu.idle']?.trim() === '1';
    const files = changedFiles(tree, before, inForce(tree, after)).filter(
      ({ file }) => !(isIdle && file === 'cpu.weight'),
    );
    return inSafeOrder(files, before, after).flatMap((file) => {
      const write: GroupWrite = {
        ...writeOf(file, after),
        undo: [file.format(before)],
        slow: SLOW.get(file.file),
        prepare: () => makeRoom(tree, id, file, after),
      };
      return [write, ...followingWrites(tree, id, file, write)];
    });
  },

  read: (tree, id) => partOf(readNumbers(tree, id)),
};

/** What a group has when it was just made: of some limits what the group of containers that it is in has. */
function limitsOfNew(tree: CgroupTree, id: string): Limits {
  const parent = dirname(tree.pathOf(id));
  if (parent === tree.groupPath) return NO_LIMITS;
  const copied = tree.limitFiles.filter(({ copied }) => copied);
  return parseAll(copied, ({ hierarchy, file }) =>
    readGroupFile(`${hierarchy.mountPath}/${parent}/${file}`),
  );
}

/** Writes the same where a group of containers has given away a copy of what it had. */
function followingWrites(
  tree: CgroupTree,
  id: string,
  file: HostLimitFile,
  write: GroupWrite,
): GroupWrite[] {
  const [before = ''] = write.undo ?? [];
  const followers = file.copied
    ? followersOf(tree, id, write, (text) => file.format(parseAll([file], () => text)) === before)
    : [];
  return followers.map((group) => ({ ...write, group }));
}

function requestedHere(tree: CgroupTree, resources: LinuxResources): RequestedLimits {
  const requested = requestedLimits(resources);
  // Asking for no limit is always possible.
  const missing = LIMIT_NAMES.find((name) => {
    const value = requested[name];
    return value !== undefined && value !== NO_LIMITS[name] && !canLimit(tree, name);
  });
  if (missing === undefined) return requested;
  throw unsupported(FIELD_NAMES[missing], 'its kernel has no file for it');
}

function canLimit(tree: CgroupTree, name: LimitName): boolean {
  return tree.limitFiles.some(({ limits }) => limits.includes(name));
}

/** What the kernel makes of limits on this host: what it will say is in force. */
function inForce(tree: CgroupTree, limits: Limits): Limits {
  const rounded = {
    ...limits,
    memory: wholePages(limits.memory),
    memorySwap: wholePages(limits.memorySwap),
    memoryReservation: wholePages(limits.memoryReservation),
    memoryHigh: wholePages(limits.memoryHigh),
  };
  return parseAll(tree.limitFiles, (file) => file.format(rounded));
}

function readNumbers(tree: CgroupTree, id: string): Limits {
  return parseAll(tree.limitFiles, (file) =>
    readGroupFile(`${tree.groupIn(file.hierarchy, id)}/${file.file}`),
  );
}

function parseAll(files: readonly HostLimitFile[], read: (file: HostLimitFile) => string): Limits {
  let limits: Limits = NO_LIMITS;
  for (const file of files) limits = { ...limits, ...file.parse(read(file), limits) };
  return limits;
}

/** Files to write to get from one set of limits to another. */
function changedFiles(tree: CgroupTree, from: Limits, to: Limits): readonly HostLimitFile[] {
  return tree.limitFiles.filter((file) => file.format(from) !== file.format(to));
}

function writeOf(file: HostLimitFile, limits: Limits): GroupWrite {
  return {
    hierarchy: file.hierarchy,
    file: file.file,
    text: file.format(limits),
    field: fieldOf(file),
  };
}

/**
 * Frees what a lower limit of memory leaves no room for. Version 2 kills processes for a limit below what is
 * in use; version 1 refuses it, and so do we.
 *
 * @throws INVALID_STATE if more is in use than the limit allows
 */
function makeRoom(tree: CgroupTree, id: string, file: HostLimitFile, limits: Limits): void {
  const limit = wholePages(limits.memory);
  if (file.file !== 'memory.max' || limit === -1) return;
  if (reclaimMemory(tree.groupIn(file.hierarchy, id), limit)) return;
  throw inUse(fieldOf(file), id, file.format(limits));
}

function fieldOf({ limits }: HostLimitFile): string {
  return FIELD_NAMES[limits[0] as LimitName];
}

function partOf(limits: Limits): ResourcesPart {
  const set = limitedOnly(limits);
  const { oomKillerOff, blockIoWeight, pids } = set;
  return {
    cpu: only({
      shares: set.cpuShares,
      quota: set.cpuQuota,
      period: set.cpuPeriod,
      burst: set.cpuBurst,
    }),
    memory: only({
      limit: set.memory,
      reservation: set.memoryReservation,
      swap: set.memorySwap,
      high: set.memoryHigh,
      swappiness: set.swappiness,
      disableOomKiller: oomKillerOff === undefined ? undefined : oomKillerOff === 1,
    }),
    pids: only({ limit: pids }),
    blockIo: only({ weight: blockIoWeight }),
  };
}

/** @returns Undefined if nothing in it is set. */
function only<T extends object>(part: T): T | undefined {
  return Object.values(part).some((value) => value !== undefined) ? part : undefined;
}
