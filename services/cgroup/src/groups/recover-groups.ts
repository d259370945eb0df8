import { mergeResources } from '@teu/container-defaults';
import type { LinuxResources } from '@teu/proto/type';
import { isBelow, keyOfGroup } from '../domain/group-path.js';
import type { GroupRecord, GroupTable } from '../store/group-table.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { NO_SIGNAL } from '../tree/slow-write.js';
import { setExactlySlowly } from '../tree/update-group.js';
import { giveBackCopied, type CopiedBefore } from './copied-limits.js';
import { hasDirectories, makeDirectories } from './group-directories.js';
import { readLimits, setResources, withoutGoneDevices } from './group-resources.js';
import type { GroupParts } from './groups.js';

/** What is done to a group, as intents name it. */
export type GroupOperation = 'group-create' | 'group-update' | 'group-delete';

/** Groups as they were found at a start. */
export interface RecoveredGroups {
  /** All, ordered by name. */
  readonly records: readonly GroupRecord[];
  /** Names of those whose limits could not be set. */
  readonly unlimited: readonly string[];
}

/**
 * Brings rows and kernel together after a start. A creation that was not recorded is undone, a removal is finished; an
 * update is undone by giving each group the limits of its row, which also makes groups again after a restart of the
 * host.
 *
 * @returns The groups there are. One that cannot be made is among them: it is tried again when it is used.
 */
export function recoverGroups(parts: GroupParts, table: GroupTable): RecoveredGroups {
  const { store, tree, log } = parts;
  const done: string[] = [];
  const changes: Partial<CopiedBefore>[] = [];
  for (const { id, operation, objectKey: name, payload } of store.intents.list()) {
    if (operation === 'group-create') tree.removeGroups(name);
    if (operation === 'group-delete') finishDelete(parts, table, name);
    if (operation === 'group-update') changes.push(payload as Partial<CopiedBefore>);
    // Others are not about groups.
    if (operation.startsWith('group-')) done.push(id);
  }
  const records = table.list();
  const unlimited: string[] = [];
  for (const record of records) {
    try {
      restoreGroup(tree, record);
    } catch (error) {
      unlimited.push(record.name);
      log.error({ group: record.name, err: error }, 'a group cannot be made again');
    }
  }
  for (const change of changes) {
    try {
      giveBackCopied(tree, change);
    } catch (error) {
      log.error({ err: error }, 'containers of a group do not have what they had');
    }
  }
  store.transaction(() => {
    for (const id of done) store.intents.finish(id);
  });
  return { records, unlimited };
}

/**
 * Makes a group as its row says, as far as it is not so. The one that it is in must be there.
 *
 * @throws RESOURCE_UNSUPPORTED, INVALID_ARGUMENT, INVALID_STATE, or Node's error
 */
export function restoreGroup(tree: CgroupTree, record: GroupRecord): void {
  makeLimited(tree, record.name, limitsToRestore(tree, record));
}

/**
 * Makes a group as its row says, as far as it is not so, while others are answered. The one that it is in must be there.
 * @throws as restoreGroup
 */
export async function restoreSlowly(tree: CgroupTree, record: GroupRecord): Promise<void> {
  await makeSlowly(tree, record.name, limitsToRestore(tree, record), NO_SIGNAL);
}

/**
 * Changes limits of a group of which it is not known which are in force: it is made again, with all of them.
 * @returns The limits in force.
 * @throws as restoreGroup, and the signal's reason; then nothing is changed
 */
export async function restoreChanged(
  tree: CgroupTree,
  record: GroupRecord,
  requested: LinuxResources,
  signal: AbortSignal,
): Promise<LinuxResources> {
  const wanted = mergeResources(limitsToRestore(tree, record), requested);
  await makeSlowly(tree, record.name, wanted, signal);
  return readLimits(tree, record.name, wanted.unified);
}

async function makeSlowly(
  tree: CgroupTree,
  name: string,
  wanted: LinuxResources,
  signal: AbortSignal,
): Promise<void> {
  // In a new one nothing is in use.
  if (hasDirectories(tree, name)) await setExactlySlowly(tree, keyOfGroup(name), wanted, signal);
  else makeLimited(tree, name, wanted);
}

/** With a device its limits have gone from the kernel. After a restart of the host it may only not be there yet. */
function limitsToRestore(tree: CgroupTree, { name, resources }: GroupRecord): LinuxResources {
  return hasDirectories(tree, name) ? withoutGoneDevices(resources) : resources;
}

/** Directories that had to be made go again if the limits cannot be set: without them nobody gets in. */
function makeLimited(tree: CgroupTree, name: string, resources: LinuxResources): void {
  const isNew = !hasDirectories(tree, name);
  makeDirectories(tree, name);
  try {
    setResources(tree, name, resources);
  } catch (error) {
    if (isNew) tree.removeGroups(name);
    throw error;
  }
}

/** A container cannot have come into it since: it was gone for everybody. */
function finishDelete({ store, tree }: GroupParts, table: GroupTable, name: string): void {
  tree.removeGroups(name);
  store.transaction(() => {
    for (const record of table.list()) {
      if (record.name === name || isBelow(record.name, name)) table.delete(record.name);
    }
  });
}
