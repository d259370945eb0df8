import { teuError } from '@teu/errors';
import { wholePages } from '../domain/limit-files.js';
import {
  FIELD_NAMES,
  LIMIT_NAMES,
  NO_LIMITS,
  type LimitName,
  type Limits,
} from '../domain/limits.js';
import type { RequestedLimits } from '../domain/requested-limits.js';
import type { CgroupTree, HostLimitFile } from './cgroup-tree.js';
import { isErrno, readGroupFile, writeGroupFile } from './group-files.js';
import { reclaimMemory } from './reclaim-memory.js';

/** Tells whether the host can set a limit. */
export function canLimit(tree: CgroupTree, name: LimitName): boolean {
  return tree.limitFiles.some(({ limits }) => limits.includes(name));
}

/**
 * @throws RESOURCE_UNSUPPORTED for a limit that was asked for and cannot be set here. Asking for no
 *   limit is always possible.
 */
export function checkSupported(tree: CgroupTree, requested: RequestedLimits): void {
  for (const name of LIMIT_NAMES) {
    const value = requested[name];
    if (value === undefined || value === NO_LIMITS[name] || canLimit(tree, name)) continue;
    throw teuError('RESOURCE_UNSUPPORTED', `this host cannot enforce ${FIELD_NAMES[name]}`, {
      metadata: { field: FIELD_NAMES[name] },
    });
  }
}

/** What the kernel makes of limits on this host: what it will say is in force. */
export function inForce(tree: CgroupTree, limits: Limits): Limits {
  const rounded = {
    ...limits,
    memory: wholePages(limits.memory),
    memorySwap: wholePages(limits.memorySwap),
    memoryReservation: wholePages(limits.memoryReservation),
  };
  return parseAll(tree.limitFiles, (file) => file.format(rounded));
}

/** Reads the limits of a group. Throws Node's error if it is gone. */
export function readLimits(tree: CgroupTree, id: string): Limits {
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
export function changedFiles(tree: CgroupTree, from: Limits, to: Limits): readonly HostLimitFile[] {
  return tree.limitFiles.filter((file) => file.format(from) !== file.format(to));
}

/**
 * Writes one limit of a group.
 *
 * @throws INVALID_STATE if more is in use than the limit allows, INVALID_ARGUMENT if the kernel refuses the
 *   value
 */
export function writeLimit(
  tree: CgroupTree,
  id: string,
  file: HostLimitFile,
  limits: Limits,
): void {
  const value = file.format(limits);
  try {
    writeGroupFile(`${tree.groupIn(file.hierarchy, id)}/${file.file}`, value);
  } catch (cause) {
    if (isErrno(cause, 'EBUSY')) throw inUse(file, id, value, cause);
    if (!isErrno(cause, 'EINVAL', 'ERANGE')) throw cause;
    const field = fieldOf(file);
    const text = `${field} cannot be set to ${value}: the kernel does not take it`;
    throw teuError('INVALID_ARGUMENT', text, { metadata: { field, cgroup: id, value }, cause });
  }
}

/**
 * Frees what a lower limit of memory leaves no room for. Version 2 kills processes for a limit below what is
 * in use; version 1 refuses it, and so do we.
 *
 * @throws INVALID_STATE if more is in use than the limit allows
 */
export function makeRoom(tree: CgroupTree, id: string, file: HostLimitFile, limits: Limits): void {
  const limit = wholePages(limits.memory);
  if (file.file !== 'memory.max' || limit === -1) return;
  if (reclaimMemory(tree.groupIn(file.hierarchy, id), limit)) return;
  throw inUse(file, id, file.format(limits));
}

function inUse(file: HostLimitFile, id: string, value: string, cause?: unknown): Error {
  const field = fieldOf(file);
  const text = `${field} cannot be set to ${value}: more than that is in use and cannot be freed`;
  const metadata = { field, cgroup: id, value };
  return teuError('INVALID_STATE', text, { metadata, ...(cause !== undefined && { cause }) });
}

function fieldOf({ limits }: HostLimitFile): string {
  return FIELD_NAMES[limits[0] as LimitName];
}
